/** A part of the master that is imported when a configuration asks for it. */
import { expect, test } from "bun:test";
import { LatePart } from "../../../../src/arbiter/act/configuration/late-part.ts";

test("nothing is opened until it is wanted, and once", async () => {
  const heard: string[] = [];
  let opened = 0;
  const part = new LatePart(
    "admin_bind",
    async () => ++opened,
    (message) => heard.push(message),
  );
  part.tell(() => heard.push("not wanted"));
  part.want();
  part.want();
  part.tell((number) => heard.push(`first ${number}`));
  part.tell((number) => heard.push(`second ${number}`));
  await Bun.sleep(0);
  expect(heard).toEqual(["first 1", "second 1"]);
});

test("an import that fails is told, once, and tried with the next configuration", async () => {
  const heard: string[] = [];
  let tries = 0;
  const open = async () => {
    if (++tries === 1) throw new Error("Cannot find module");
    return "there";
  };
  const part = new LatePart("autoscale", open, (message) =>
    heard.push(message.split("\n")[0] ?? ""),
  );
  part.want();
  part.tell((what) => heard.push(what));
  part.tell((what) => heard.push(what));
  await Bun.sleep(0);
  expect(heard).toEqual(["Can't start what autoscale asks for: Error: Cannot find module"]);
  part.want();
  part.tell((what) => heard.push(what));
  await Bun.sleep(0);
  expect(heard.slice(1)).toEqual(["there"]);
});

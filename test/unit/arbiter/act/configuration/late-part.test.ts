/** A part of the master that is imported when a configuration asks for it. */
import { expect, test } from "bun:test";
import { LatePart } from "../../../../../src/arbiter/act/configuration/late-part.ts";

/** What is told last, when all that was told before has been heard. */
function last<T>(part: LatePart<T>): Promise<T> {
  return new Promise((resolve) => part.tell(resolve));
}

test("nothing is opened until it is wanted, and once", async () => {
  const heard: string[] = [];
  let opened = 0;
  const log = { log: (_level: string, message: string) => void heard.push(message) };
  const part = new LatePart("admin_bind", async () => ++opened, log);
  part.tell(() => heard.push("not wanted"));
  part.want();
  part.want();
  part.tell((number) => heard.push(`first ${number}`));
  part.tell((number) => heard.push(`second ${number}`));
  await last(part);
  expect(heard).toEqual(["first 1", "second 1"]);
});

test("an import that fails is told, once, and tried with the next configuration", async () => {
  const heard: string[] = [];
  const failed = Promise.withResolvers<void>();
  let tries = 0;
  const open = async () => {
    if (++tries === 1) throw new Error("Cannot find module");
    return "there";
  };
  const log = (level: string, message: string) => {
    heard.push(`${level}: ${message.split("\n")[0]}`);
    failed.resolve();
  };
  const part = new LatePart("autoscale", open, { log });
  part.want();
  part.tell((what) => heard.push(what));
  part.tell((what) => heard.push(what));
  await failed.promise;
  part.want();
  part.tell((what) => heard.push(what));
  await last(part);
  const told = "error: Can't start what autoscale asks for: Error: Cannot find module";
  expect(heard).toEqual([told, "there"]);
});

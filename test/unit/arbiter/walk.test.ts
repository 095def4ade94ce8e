/** docs/design.md walks a signal through the arbiter: each step is where the page says. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "../../..");
const page = readFileSync(join(root, "docs/design.md"), "utf8");
const [, section = ""] = page.split("\n## One signal\n");
const [walk = ""] = section.split("\nThe state (");
const steps = [...walk.matchAll(/^ {4,6}(?:-> )?(\S.*?) {2,}(\S+\.ts)/gm)].map(
  ([, names = "", file = ""]) => ({ name: names.split(" -> ").at(-1) ?? "", file }),
);

test("the walk has its steps", () => expect(steps.length).toBeGreaterThan(10));

test.each(steps)("$name stands in $file", ({ name, file }) => {
  const text = readFileSync(join(root, "src/arbiter", file), "utf8");
  if (name.startsWith("event ")) return expect(text).toContain(`type: ${name.slice(6)}`);
  const word = RegExp.escape(name.replace(/^[A-Z]\w*\./, ""));
  expect(text).toMatch(new RegExp(`(?:^ *(?:async )?|function )${word}\\(`, "m"));
});

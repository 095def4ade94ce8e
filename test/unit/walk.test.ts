/** docs/design.md walks a signal through the arbiter, and a request through a worker: each step is where the page says. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");
const page = readFileSync(join(root, "docs/design.md"), "utf8");

const walks: [title: string, folder: string][] = [
  ["One signal", "src/arbiter"],
  ["One request (async)", "src"],
];

/** The indented lines below a title: a name, or several of which the last is meant, and a file. */
function stepsOf(title: string): { name: string; file: string }[] {
  const [, section = ""] = page.split(`\n## ${title}\n`);
  const [walk = ""] = /(?:^ {4}.*\n)+/m.exec(section) ?? [];
  return [...walk.matchAll(/^ {4,6}(?:-> )?(\S.*?) {2,}(\S+\.ts)/gm)].map(
    ([, names = "", file = ""]) => ({ name: names.split(" -> ").at(-1) ?? "", file }),
  );
}

describe.each(walks)("%s", (title, folder) => {
  const steps = stepsOf(title);

  test("has its steps", () => expect(steps.length).toBeGreaterThan(10));

  test.each(steps)("$name stands in $file", ({ name, file }) => {
    const text = readFileSync(join(root, folder, file), "utf8");
    if (name.startsWith("event ")) return expect(text).toContain(`type: ${name.slice(6)}`);
    const word = RegExp.escape(name.replace(/^[A-Z]\w*\./, ""));
    expect(text).toMatch(new RegExp(`(?:^ *(?:async )?|function )${word}\\(`, "m"));
  });
});

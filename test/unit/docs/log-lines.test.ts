import { expect, test } from "bun:test";
import { join } from "node:path";

const root = join(import.meta.dir, "../../..");
const page = await Bun.file(join(root, "docs/log-lines.md")).text();

/** The texts of the first column, without those of the generated table. */
const lines = [...page.matchAll(/^\| `(.+?)` +\| +(?:info|warning|error|critical) /gm)].map(
  ([, line = ""]) => line,
);

/** What stands for something that differs, and where the text of another function begins. */
const placeholder =
  /\b(?:PID|N|FILE|DATE|TIME|WHY|DOING|REQUESTS?|METHOD|TARGET|PATH|ADDRESS|TEXT|SIG[A-Z]+|It had|Child|Parent)\b|\.\.\./;

async function sources(): Promise<string> {
  const paths = [...new Bun.Glob("src/**/*.ts").scanSync({ cwd: root })];
  const texts = await Promise.all(paths.map((path) => Bun.file(join(root, path)).text()));
  return texts.join("\n");
}

const all = await sources();

test("there are lines to look for", () => {
  expect(lines.length).toBeGreaterThan(25);
});

test.each(lines)("%s is a line of the sources", (line) => {
  // Signs beside a placeholder may be of either side, and what follows the first words of another function.
  const pieces = line.split(placeholder).map((piece) => piece.replace(/^\W+|\W+$/g, ""));
  const begins = pieces.map((piece) => piece.split(" ").slice(0, 3).join(" "));
  expect(begins.filter((text) => /[a-z]{2}/i.test(text) && !all.includes(text))).toEqual([]);
});

/** The commands of README, docs and examples are ones that the program takes, with values that the settings take. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseCommandLine } from "../../../src/config/sources/command-line.ts";
import { shellWords } from "../../../src/config/sources/shell-words.ts";
import { settingOf } from "../../../src/config/settings.ts";
import { facts } from "./facts.ts";

const root = join(import.meta.dir, "../../..");

const pages = ["README.md", "docs/*.md", "examples/**/*.{md,ts}"]
  .flatMap((pattern) => [...new Bun.Glob(pattern).scanSync(root)])
  .map((page) => [page, readFileSync(join(root, page), "utf8")] as const);

/** The words behind the program's name, up to the end of the code or to a comment. */
const commands = pages.flatMap(([page, text]) => {
  const found = text.replace(/\\\n\s*/g, "").matchAll(/gunicorn-ts(?:\.ts)? (--?[a-zA-Z][^`\n]*)/g);
  return [...found].map(([, words = ""]) => [page, words.split(" #")[0] as string] as const);
});

test("there are commands", () => {
  expect(commands.length).toBeGreaterThan(30);
});

test.each(commands)("%s: gunicorn-ts %s", (page, words) => {
  const cwd = join(root, page.endsWith(".md") ? dirname(page) : ".");
  const { given } = parseCommandLine(shellWords(words));
  for (const [key, value] of given) settingOf(key).kind.parse(value, { ...facts, cwd });
});

/** `MODULE:EXPORT` of what starts the server, as a command, a unit's ExecStart or an image's CMD. */
const started = pages.flatMap(([page, text]) => {
  if (page === "docs/changelog.md") return [];
  const found = text.matchAll(/(?<![\w./:-])([a-z][\w-]*:fetch)\b/g);
  return [...found].map(([, name = ""]) => [page, name] as const);
});

test("a reader's app is app:fetch on every page", () => {
  expect(started.length).toBeGreaterThan(10);
  const others = started.filter(([page, name]) => {
    const isExample = page.startsWith("examples/") && name === "hello:fetch";
    return name !== "app:fetch" && !isExample;
  });
  expect(others).toEqual([]);
});

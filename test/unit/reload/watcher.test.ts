import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Engine, Watcher, type WatcherOptions } from "../../../src/reload/watcher.ts";
import { until } from "../../support/server.ts";

let folder: string;
const watchers: Watcher[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-reload-"));
});

afterEach(() => {
  for (const each of watchers.splice(0)) each.close();
  rmSync(folder, { recursive: true, force: true });
});

function at(name: string): string {
  return join(folder, name);
}

function write(name: string, text: string): void {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
}

/** The changes that a watcher tells of, as paths below the folder. */
function watching(engine: Engine, options: Partial<WatcherOptions> = {}): string[] {
  const changes: string[] = [];
  const watcher = new Watcher({
    engine,
    sources: () => [],
    extraFiles: [],
    onChange: (file) => changes.push(file.slice(folder.length + 1)),
    onTrouble: (message) => changes.push(message),
    // What inotify tells must not depend on the next regular look.
    intervalMs: engine === "poll" ? 20 : 3_600_000,
    ...options,
  });
  watchers.push(watcher);
  return changes;
}

async function told(changes: readonly string[]): Promise<readonly string[]> {
  await until("a change", () => changes.length > 0);
  return changes;
}

/** Writes every 20 ms for so long, and answers with the longest time between two. */
async function writeOften(name: string, forMs: number): Promise<number> {
  const startMs = performance.now();
  let last = startMs;
  let longest = 0;
  while (last < startMs + forMs) {
    await Bun.sleep(20);
    write(name, `${performance.now()}`);
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest;
}

const changes: readonly [name: string, act: () => void, file: string][] = [
  ["a change", () => write("app.ts", "two"), "app.ts"],
  ["a change of the same length", () => write("app.ts", "ONE"), "app.ts"],
  [
    "a save by rename",
    () => {
      write(".app.ts.swp", "two");
      renameSync(at(".app.ts.swp"), at("app.ts"));
    },
    "app.ts",
  ],
  ["a change below", () => write("lib/deep.ts", "two"), "lib/deep.ts"],
  ["an end", () => unlinkSync(at("app.ts")), "app.ts"],
  ["the end of a folder", () => renameSync(at("lib"), at("gone")), "lib/deep.ts"],
  ["the coming of a file that was missed", () => write("missing.ts", "one"), "missing.ts"],
];

describe.each(["poll", "inotify", "auto"] as const)("Watcher by %s", (engine) => {
  test.each(changes)("tells of %s", async (_name, act, file) => {
    write("app.ts", "one");
    write("lib/deep.ts", "one");
    // Written some time ago: file systems may count time in steps of several milliseconds.
    utimesSync(at("app.ts"), 1e9, 1e9);
    const sources = () => [at("app.ts"), at("lib/deep.ts"), at("missing.ts")];
    const changes = watching(engine, { sources });
    act();
    expect(await told(changes)).toEqual([file]);
  });

  test("takes no notice of other files in the folder", async () => {
    write("app.ts", "one");
    const changes = watching(engine, { sources: () => [at("app.ts")] });
    const witness = watching(engine, { sources: () => [at("server.log")] });
    write("server.log", "a request");
    await told(witness);
    expect(changes).toEqual([]);
    write("app.ts", "two");
    expect(await told(changes)).toEqual(["app.ts"]);
  });

  test("takes changes that follow each other for one, and tells once", async () => {
    let changes: readonly string[];
    let longestMs: number;
    // A machine that stalls for longer than the quiet has made one: they didn't follow each other.
    do {
      write("a.ts", "1");
      write("b.ts", "1");
      changes = watching(engine, { sources: () => [at("b.ts"), at("a.ts")], quietMs: 200 });
      write("b.ts", "two");
      longestMs = await writeOften("a.ts", 600);
    } while (longestMs > 150);
    expect(changes).toEqual([]);
    expect(await told(changes)).toEqual(["b.ts"]);
    const witness = watching(engine, { sources: () => [at("a.ts")], quietMs: 200 });
    write("a.ts", "again");
    await told(witness);
    expect(changes).toEqual(["b.ts"]);
  });

  test("doesn't wait for a quiet that never comes", async () => {
    write("app.ts", "0");
    const changes = watching(engine, { sources: () => [at("app.ts")], quietMs: 20 });
    const timer = setInterval(() => write("app.ts", `${performance.now()}`), 5);
    await told(changes).finally(() => clearInterval(timer));
    expect(changes).toEqual(["app.ts"]);
  });

  const extras: readonly [name: string, extra: string, file: string][] = [
    ["a changed file", "plain.txt", "plain.txt"],
    ["a changed file that a pattern matches", "*.txt", "plain.txt"],
    ["a file that is new for a pattern", "*.html", "new.html"],
    ["a changed file of a folder", "pages", "pages/deep/page.html"],
    ["a new file of a folder", "pages", "pages/new.html"],
    ["a file with brackets in its name", "pages/[id].html", "pages/[id].html"],
    ["a changed file that a deep pattern matches", "pages/**/*.html", "pages/deep/page.html"],
  ];
  test.each(extras)("tells of %s among the extra files", async (_name, extra, file) => {
    for (const name of ["plain.txt", "pages/deep/page.html", "pages/[id].html"]) write(name, "one");
    const changes = watching(engine, { extraFiles: [at(extra)] });
    write(file, "two");
    expect(await told(changes)).toEqual([file]);
  });
});

test("a source that is new in the list is no change, and its next change is one", async () => {
  write("a.ts", "1");
  write("b.ts", "1");
  let asked = 0;
  const sources = () => (++asked > 1 ? [at("a.ts"), at("b.ts")] : [at("a.ts")]);
  const changes = watching("poll", { sources });
  await until("another look", () => asked > 3);
  expect(changes).toEqual([]);
  write("b.ts", "two");
  expect(await told(changes)).toEqual(["b.ts"]);
});

test("a pattern finds what is new in folders that are new", async () => {
  write("pages/a.html", "1");
  const changes = watching("inotify", { extraFiles: [at("pages/**/*.html")], intervalMs: 20 });
  write("pages/deep/er/b.html", "1");
  expect(await told(changes)).toEqual(["pages/deep/er/b.html"]);
});

test("close() ends it", async () => {
  write("app.ts", "one");
  const options = { sources: () => [at("app.ts")], intervalMs: 10, quietMs: 10 };
  const changes = watching("auto", options);
  const witness = watching("auto", options);
  write("app.ts", "two");
  watchers[0]?.close();
  await told(witness);
  expect(changes).toEqual([]);
});

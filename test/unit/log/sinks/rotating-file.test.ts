import { afterAll, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RotatingFile } from "../../../../src/log/sinks/rotating-file.ts";

const folder = mkdtempSync(join(tmpdir(), "rotating-file-"));
const read = (name: string) => readFileSync(join(folder, name), "utf8");
const problems: string[] = [];

function open(name: string, maxBytes: number, backupCount: number): RotatingFile {
  return new RotatingFile(join(folder, name), {
    owner: null,
    keptBytes: 1000,
    tellLoss: () => "",
    maxBytes,
    backupCount,
    onProblem: (message) => problems.push(message),
  });
}

afterAll(() => rmSync(folder, { recursive: true }));

test("the file is renamed before it gets too long, and only so many are kept", () => {
  const file = open("log", 10, 2);
  for (const line of ["one--", "two--", "three", "four-", "five-"]) file.write(`${line}\n`);
  file.close();
  expect(readdirSync(folder).sort()).toEqual(["log", "log.1", "log.2"]);
  expect([read("log.2"), read("log.1"), read("log")]).toEqual(["three\n", "four-\n", "five-\n"]);
});

const unrotated: [claim: string, maxBytes: number, backupCount: number][] = [
  ["no size", 0, 5],
  ["no files to keep", 5, 0],
];

test.each(unrotated)("with %s it is never renamed", (claim, maxBytes, backupCount) => {
  const file = open(claim, maxBytes, backupCount);
  for (const line of ["one", "two", "three"]) file.write(`${line}\n`);
  file.close();
  expect(read(claim)).toBe("one\ntwo\nthree\n");
});

test("a line longer than the size stands in a file of its own", () => {
  const file = open("long", 10, 5);
  for (const line of ["short", "x".repeat(50), "short"]) file.write(`${line}\n`);
  file.close();
  expect(["long.2", "long.1", "long"].map((name) => read(name).length)).toEqual([6, 51, 6]);
});

test("a batch longer than the size is divided at line ends", () => {
  const file = open("batch", 12, 5);
  file.write("one\ntwo\nthree\nfour\n");
  file.close();
  expect(["batch.1", "batch"].map(read)).toEqual(["one\ntwo\n", "three\nfour\n"]);
});

test("what somebody else has renamed is opened anew", () => {
  const file = open("watched", 0, 0);
  file.write("one\n");
  renameSync(join(folder, "watched"), join(folder, "watched.old"));
  file.write("two\n");
  file.close();
  expect([read("watched.old"), read("watched")]).toEqual(["one\n", "two\n"]);
});

test("what can't be renamed is told once, and lines go on", () => {
  mkdirSync(join(folder, "stuck.1"));
  const file = open("stuck", 5, 1);
  for (const line of ["one", "two", "three"]) file.write(`${line}\n`);
  file.close();
  expect(read("stuck")).toBe("one\ntwo\nthree\n");
  expect(problems).toHaveLength(1);
  expect(problems[0]).toStartWith(`Can't rotate ${join(folder, "stuck")}: EISDIR`);
});

test("four processes rotate one file without losing or tearing a line", async () => {
  const many = mkdtempSync(join(tmpdir(), "rotating-many-"));
  const writer = join(import.meta.dir, "../../../fixtures/log/writer.ts");
  const log = join(many, "log");
  const writers = ["a", "b", "c", "d"].map((name) =>
    Bun.spawn([process.execPath, writer, log, name, "1000", "20000"], {
      stdio: ["ignore", "ignore", "pipe"],
    }),
  );
  const said = await Promise.all(writers.map(({ stderr }) => new Response(stderr).text()));
  expect(said).toEqual(["", "", "", ""]);
  const files = readdirSync(many);
  const lines = files.flatMap((name) => readFileSync(join(many, name), "utf8").split("\n"));
  const whole = lines.filter((line) => /^[abcd] \d+ x* end$/.test(line));
  expect(lines.filter((line) => line !== "")).toHaveLength(4000);
  expect(new Set(whole).size).toBe(4000);
  // 4,000 lines have some 440,000 bytes; who waits for the lock may write a batch to a file that has just been renamed.
  expect(files.length).toBeGreaterThan(20);
  const sizes = files.map((name) => statSync(join(many, name)).size);
  expect(Math.max(...sizes)).toBeLessThan(30_000);
  rmSync(many, { recursive: true });
}, 30_000);

import { expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockFile, unlockFile } from "../../../src/os/file-lock.ts";

test("a lock that somebody holds is refused, and given when it is released", () => {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-lock-"));
  const [one, two] = [0, 1].map(() => openSync(join(folder, "file"), "a")) as [number, number];
  expect([lockFile(one), lockFile(two)]).toEqual([true, false]);
  unlockFile(one);
  expect(lockFile(two)).toBe(true);
  closeSync(one);
  closeSync(two);
  rmSync(folder, { recursive: true });
});

test("where the system has no lock to give, it isn't waited for", () => {
  // As ENOLCK of a file system without locks: not even a file.
  expect(lockFile(1_000_000)).toBe(true);
});

import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, fstatSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openScoreboard } from "../../../../src/arbiter/act/open-scoreboard.ts";
import { ConfigError } from "../../../../src/api/errors.ts";
import { maxWorkers, inheritedRow } from "../../../../src/ipc/scoreboard.ts";
import { isRoot } from "../../../support/needs.ts";

function folder(): string {
  return mkdtempSync(join(tmpdir(), "gunicorn-ts-scoreboard-"));
}

test.each([
  ["memory without a file", null],
  ["a folder", folder()],
])("%s: every row is shared by whoever has the descriptor", (_name, path) => {
  const scoreboard = openScoreboard(path);
  for (const row of [0, 1, 2 * maxWorkers - 1]) {
    const there = inheritedRow(scoreboard.fd, row);
    there.beat = row + 5;
    expect(scoreboard.row(row).beat).toBe(row + 5);
    scoreboard.clear(row);
    expect(there.beat).toBe(0);
  }
  scoreboard.close();
  if (path !== null) {
    expect(readdirSync(path)).toEqual([]);
    rmSync(path, { recursive: true });
  }
});

test("there is room for all of it before it is mapped", () => {
  const scoreboard = openScoreboard(null);
  const { blocks, size } = fstatSync(scoreboard.fd);
  expect(blocks * 512).toBeGreaterThanOrEqual(size);
  expect(size).toBe(1_048_576);
  scoreboard.close();
});

test("a folder that can't be written: one line that names it", () => {
  const closed = folder();
  chmodSync(closed, 0o500);
  // Root may write anywhere but in /proc.
  const path = isRoot ? "/proc/self" : closed;
  const open = () => openScoreboard(path);
  expect(open).toThrow(ConfigError);
  expect(open).toThrow(
    new RegExp(`^workerTmpDir: no room for the 1048576 bytes of heartbeats: ${path}: .*$`),
  );
  rmSync(closed, { recursive: true });
});

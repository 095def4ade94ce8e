import { describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  inheritedRow,
  maxWorkers,
  Scoreboard,
  scoreboardBytes,
} from "../../../src/ipc/scoreboard.ts";

/** Over a file of its own, mapped twice: by the master, and by whoever `worker` stands for. */
function withScoreboard(use: (board: Scoreboard, fd: number) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "scoreboard-"));
  const path = join(folder, "board");
  writeFileSync(path, new Uint8Array(scoreboardBytes));
  const fd = openSync(path, "r+");
  const board = new Scoreboard(openSync(path, "r+"));
  try {
    use(board, fd);
  } finally {
    board.close();
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
}

const columns = ["beat", "requests", "inFlight", "connections", "audience"] as const;

describe("a row", () => {
  test.each(columns)("carries %s from the worker to the master, and nothing else", (name) => {
    withScoreboard((board, fd) => {
      const worker = inheritedRow(fd, 5);
      worker[name] = 41;
      worker[name] += 1;
      const seen = board.row(5);
      for (const each of columns) expect(seen[each]).toBe(each === name ? 42 : 0);
      for (const other of [4, 6]) expect({ ...board.row(other) }).toEqual(zeros);
    });
  });

  test("is read as it is now", () => {
    withScoreboard((board, fd) => {
      const seen = board.row(0);
      const worker = inheritedRow(fd, 0);
      for (let beat = 1; beat <= 3; beat += 1) {
        worker.beat = beat;
        expect(seen.beat).toBe(beat);
      }
    });
  });

  test.each([-1, maxWorkers * 2])("%d isn't there", (row) => {
    withScoreboard((board, fd) => {
      expect(() => board.row(row)).toThrow(RangeError);
      expect(() => board.clear(row)).toThrow(RangeError);
      expect(() => inheritedRow(fd, row)).toThrow(RangeError);
    });
  });

  test("stands in cells of its own, two for each of the most workers", () => {
    withScoreboard((board) => {
      const last = maxWorkers * 2 - 1;
      for (let row = 0; row <= last; row += 1) board.row(row).requests = row;
      for (let row = 0; row <= last; row += 1) expect(board.row(row).requests).toBe(row);
      expect(scoreboardBytes).toBe(maxWorkers * 2 * 64);
    });
  });
});

const zeros = { beat: 0, requests: 0, inFlight: 0, connections: 0, audience: 0 };

describe("clear()", () => {
  test("gives a new worker a row of zeros, and leaves its neighbours alone", () => {
    withScoreboard((board) => {
      for (const row of [1, 2, 3]) {
        for (const name of columns) board.row(row)[name] = row;
      }
      board.clear(2);
      expect({ ...board.row(2) }).toEqual(zeros);
      expect(board.row(1).requests).toBe(1);
      expect(board.row(3).connections).toBe(3);
    });
  });
});

describe("totals", () => {
  test("are 0 at the start", () => {
    withScoreboard((board) => expect(board.totals).toEqual({ requests: 0 }));
  });

  test("sum all workers, also those whose rows others have taken", () => {
    withScoreboard((board, fd) => {
      inheritedRow(fd, 0).requests = 10;
      inheritedRow(fd, 7).requests = 5;
      expect(board.totals).toEqual({ requests: 15 });
      board.clear(0);
      expect(board.totals).toEqual({ requests: 15 });
      inheritedRow(fd, 0).requests = 1;
      expect(board.totals).toEqual({ requests: 16 });
      board.clear(0);
      board.clear(0);
      expect(board.totals).toEqual({ requests: 16 });
    });
  });

  test("never go back, whatever dies and is replaced", () => {
    withScoreboard((board, fd) => {
      let expected = 0;
      let last = 0;
      for (let step = 0; step < 2000; step += 1) {
        const row = (step * 7) % 13;
        if (step % 5 === 0) board.clear(row);
        else {
          inheritedRow(fd, row).requests += step % 3;
          expected += step % 3;
        }
        const { requests } = board.totals;
        expect(requests).toBeGreaterThanOrEqual(last);
        last = requests;
      }
      expect(last).toBe(expected);
    });
  });
});

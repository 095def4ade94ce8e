import { describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  inheritedRow,
  maxWorkers,
  readRow,
  rowCells,
  type RowValues,
  Scoreboard,
  scoreboardBytes,
  Siblings,
  type ScoreboardRow,
  type Totals,
} from "../../../src/ipc/scoreboard.ts";
import { columns } from "../../../src/ipc/scoreboard-columns.ts";

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

const figures = Object.entries(columns).filter(([, { kind }]) => kind !== "text");
const names = figures.map(([name]) => name) as (keyof RowValues)[];

/** A row in which all cells of one column hold a value, and all others 0. */
function valuesWith(name: string | null, value: number): RowValues {
  const entries = names.map((each) => {
    const cell = each === name ? value : 0;
    const { cells } = columns[each];
    return [each, cells === 1 ? cell : Array.from({ length: cells }, () => cell)];
  });
  return Object.fromEntries(entries);
}

function fill(row: ScoreboardRow, name: keyof ScoreboardRow, value: number): void {
  const cells = row[name];
  if (typeof cells === "number") (row as unknown as Record<string, number>)[name] = value;
  else cells.fill(value);
}

describe("a row", () => {
  test.each(names)("carries %s from the worker to the master, and nothing else", (name) => {
    withScoreboard((board, fd) => {
      const worker = inheritedRow(fd, 5);
      fill(worker, name, 41);
      fill(worker, name, 42);
      expect(readRow(board.row(5))).toEqual(valuesWith(name, 42));
      for (const other of [4, 6]) expect(readRow(board.row(other))).toEqual(valuesWith(null, 0));
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
      expect(scoreboardBytes).toBe(maxWorkers * 2 * rowCells * 8);
      expect((rowCells * 8) % 64).toBe(0);
    });
  });
});

test("the text of a row is shared too, and gone when another worker gets the row", () => {
  withScoreboard((board, fd) => {
    const { newest } = inheritedRow(fd, 5);
    newest.fill(42);
    expect(board.row(5).newest.equals(newest)).toBe(true);
    for (const other of [4, 6]) expect(readRow(board.row(other))).toEqual(valuesWith(null, 0));
    expect(readRow(board.row(5))).toEqual(valuesWith(null, 0));
    board.clear(5);
    expect(newest.every((byte) => byte === 0)).toBe(true);
  });
});

describe("clear()", () => {
  test("gives a new worker a row of zeros, and leaves its neighbours alone", () => {
    withScoreboard((board) => {
      for (const row of [1, 2, 3]) {
        for (const name of names) fill(board.row(row), name, row);
      }
      board.clear(2);
      expect(readRow(board.row(2))).toEqual(valuesWith(null, 0));
      expect(board.row(1).requests).toBe(1);
      expect(board.row(3).connections).toBe(3);
    });
  });
});

describe("totals", () => {
  const counters = names.filter((name) => columns[name].kind === "counter");

  test("have the counters, which are 0 at the start, and no gauge", () => {
    withScoreboard((board) => {
      const zeros = counters.map((name) => [name, valuesWith(null, 0)[name]]);
      expect(board.totals).toEqual(Object.fromEntries(zeros));
    });
  });

  test.each(counters)(
    "sum %s of all workers, also of those whose rows others have taken",
    (name) => {
      withScoreboard((board, fd) => {
        const expectTotal = (value: number) =>
          expect(board.totals[name as keyof Totals]).toEqual(
            valuesWith(name, value)[name as keyof Totals],
          );
        for (const row of [0, 7]) board.clear(row);
        fill(inheritedRow(fd, 0), name, 10);
        fill(inheritedRow(fd, 7), name, 5);
        expectTotal(15);
        board.clear(0);
        expectTotal(15);
        fill(inheritedRow(fd, 0), name, 1);
        expectTotal(16);
        board.clear(0);
        board.clear(0);
        expectTotal(16);
      });
    },
  );

  test("never go back, whatever dies and is replaced", () => {
    withScoreboard((board, fd) => {
      let expected = 0;
      let last = 0;
      for (let row = 0; row < 13; row += 1) board.clear(row);
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

test("siblings are the rows of all other workers, also of those that come later", () => {
  withScoreboard((board, fd) => {
    const siblings = new Siblings(fd, 1);
    const taking = () => siblings.rows.filter(({ takes }) => takes > 0).length;
    const seen = [taking()];
    for (const row of [1, 0, 2, 4, 6, 9, maxWorkers * 2 - 1]) {
      board.row(row).takes = 1;
      seen.push(taking());
    }
    // Its own isn't one of them, and slots are added from the bottom up.
    expect(seen).toEqual([0, 0, 1, 2, 3, 4, 5, 5]);
    for (let row = 0; row < maxWorkers * 2; row += 2) board.row(row).takes = 1;
    expect(taking()).toBe(maxWorkers + 2);
  });
});

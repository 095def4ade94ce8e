/**
 * The scoreboard: memory mapped by the master and all workers, a row for each worker, fixed
 * Float64 columns, every cell written by one process only. A heartbeat therefore costs no system call.
 */
import { closeSync } from "node:fs";
import { mapShared } from "../os/shared-memory.ts";

/**
 * The columns in their order; each is an accessor of a row. A counter only goes up in a worker's life, and what it has
 * counted outlives the worker in the totals; a gauge says how things are now.
 */
const columns = {
  /** Counts up while the worker's event loop runs; the master compares it, on its own clock. */
  beat: "gauge",
  /** Requests handled since boot. */
  requests: "counter",
  /** Requests being handled now. */
  inFlight: "gauge",
  /** Connections open now. */
  connections: "gauge",
  /** Other workers that want what this one publishes; the master writes it. */
  audience: "gauge",
} as const satisfies Record<string, "counter" | "gauge">;

type Columns = typeof columns;
type Column = keyof Columns;
type Counter = { [Name in Column]: Columns[Name] extends "counter" ? Name : never }[Column];

/** One worker's row, seen from the worker (which writes most of it) or from the master (which reads that). */
export type ScoreboardRow = { [Name in Column]: number };

/** What all workers have counted together, those that have gone included. */
export type Totals = { readonly [Name in Counter]: number };

const names = Object.keys(columns) as Column[];
const counters = names.filter((name): name is Counter => columns[name] === "counter");

/** A row is a cache line: what one worker writes doesn't slow down another. */
const columnCount = 8;
const rowCount = 2048;

/** The size for all workers that there may ever be: it doesn't grow. */
export const scoreboardBytes = rowCount * columnCount * Float64Array.BYTES_PER_ELEMENT;

/** The largest number of workers: a slot has two rows, for a worker and its successor. */
export const maxWorkers = rowCount / 2;

function map(fd: number): Float64Array {
  return new Float64Array(mapShared(fd, scoreboardBytes));
}

function cellsOf(all: Float64Array, row: number): Float64Array {
  if (row < 0 || row >= rowCount) throw new RangeError(`the scoreboard has no row ${row}`);
  return all.subarray(row * columnCount, (row + 1) * columnCount);
}

/** @param cells one for each column, at least */
export function createRow(cells: Float64Array): ScoreboardRow {
  const accessors = names.map((name, index) => [
    name,
    {
      enumerable: true,
      get: () => cells[index] as number,
      set: (value: number) => {
        cells[index] = value;
      },
    },
  ]);
  return Object.defineProperties({}, Object.fromEntries(accessors)) as ScoreboardRow;
}

/** A worker's own row, behind an inherited descriptor. Throws SystemError when it can't be mapped. */
export function inheritedRow(fd: number, row: number): ScoreboardRow {
  return createRow(cellsOf(map(fd), row));
}

/** The master's side: hands the descriptor to workers, clears the rows of new ones. */
export class Scoreboard {
  readonly fd: number;
  readonly #cells: Float64Array;
  /** What workers had counted whose rows others have taken since. */
  readonly #departed = new Map<Counter, number>();

  /** @param fd memory of scoreboardBytes, all of it taken; it is the scoreboard's now */
  constructor(fd: number) {
    this.fd = fd;
    this.#cells = map(fd);
  }

  /** The row of a worker that is about to be spawned, with all cells at 0; the one before it has gone. */
  clear(row: number): void {
    const cells = cellsOf(this.#cells, row);
    const last = createRow(cells);
    for (const name of counters) {
      this.#departed.set(name, (this.#departed.get(name) ?? 0) + last[name]);
    }
    cells.fill(0);
  }

  row(row: number): ScoreboardRow {
    return createRow(cellsOf(this.#cells, row));
  }

  /** Counted since the master's start; no figure ever goes back, whichever workers die. */
  get totals(): Totals {
    const sums = counters.map((name) => {
      const column = names.indexOf(name);
      let sum = this.#departed.get(name) ?? 0;
      for (let at = column; at < this.#cells.length; at += columnCount) {
        sum += this.#cells[at] as number;
      }
      return [name, sum];
    });
    return Object.fromEntries(sums) as Totals;
  }

  close(): void {
    closeSync(this.fd);
  }
}

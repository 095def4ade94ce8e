/**
 * The scoreboard: memory mapped by the master and all workers, a row for each worker, fixed
 * Float64 columns, every cell written by one process only. A heartbeat therefore costs no system call.
 */
import { closeSync } from "node:fs";
import { mapShared } from "../os/shared-memory.ts";

const columns = {
  /** Counts up while the worker's event loop runs; the master compares it, on its own clock. */
  beat: 0,
  /** Requests handled since boot. */
  requests: 1,
  /** Requests being handled now. */
  inFlight: 2,
  /** Connections open now. */
  connections: 3,
} as const;

const columnCount = 8;
const rowCount = 2048;

/** For all workers that there may ever be: it doesn't grow. */
export const scoreboardBytes = rowCount * columnCount * Float64Array.BYTES_PER_ELEMENT;

/** The largest number of workers: a slot has two rows, for a worker and its successor. */
export const maxWorkers = rowCount / 2;

function map(fd: number): Float64Array {
  return new Float64Array(mapShared(fd, scoreboardBytes));
}

/** One worker's row, seen from the worker (which writes) or from the master (which reads). */
export class ScoreboardRow {
  readonly #cells: Float64Array;

  constructor(cells: Float64Array) {
    this.#cells = cells;
  }

  /** Maps the scoreboard behind an inherited descriptor. */
  static inherited(fd: number, row: number): ScoreboardRow {
    return new ScoreboardRow(map(fd).subarray(row * columnCount, (row + 1) * columnCount));
  }

  get beat(): number {
    return this.#cells[columns.beat] as number;
  }
  set beat(value: number) {
    this.#cells[columns.beat] = value;
  }
  get requests(): number {
    return this.#cells[columns.requests] as number;
  }
  set requests(value: number) {
    this.#cells[columns.requests] = value;
  }
  get inFlight(): number {
    return this.#cells[columns.inFlight] as number;
  }
  set inFlight(value: number) {
    this.#cells[columns.inFlight] = value;
  }
  get connections(): number {
    return this.#cells[columns.connections] as number;
  }
  set connections(value: number) {
    this.#cells[columns.connections] = value;
  }
}

/** The master's side: hands the descriptor to workers, clears the rows of new ones. */
export class Scoreboard {
  readonly fd: number;
  readonly #cells: Float64Array;

  /** @param fd memory of scoreboardBytes, all of it taken; it is the scoreboard's now */
  constructor(fd: number) {
    this.fd = fd;
    this.#cells = map(fd);
  }

  /** The row of a worker that is about to be spawned, with all cells at 0. */
  clear(row: number): void {
    this.#cells.fill(0, row * columnCount, (row + 1) * columnCount);
  }

  row(row: number): ScoreboardRow {
    return new ScoreboardRow(this.#cells.subarray(row * columnCount, (row + 1) * columnCount));
  }

  close(): void {
    closeSync(this.fd);
  }
}

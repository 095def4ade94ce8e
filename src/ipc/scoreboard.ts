/**
 * The scoreboard: memory mapped by the master and all workers, a row for each worker, the Float64
 * columns of scoreboard-columns.ts, every cell written by one process only. A heartbeat therefore costs no system call.
 */
import { closeSync } from "node:fs";
import { mapShared } from "../os/shared-memory.ts";
import { columns } from "./scoreboard-columns.ts";

type Columns = typeof columns;
type Column = keyof Columns;
type Counter = { [Name in Column]: Columns[Name]["kind"] extends "counter" ? Name : never }[Column];
type Single = { [Name in Column]: Columns[Name]["cells"] extends 1 ? Name : never }[Column];
type Text = { [Name in Column]: Columns[Name]["kind"] extends "text" ? Name : never }[Column];
type Several = Exclude<Column, Single | Text>;

/** One worker's row, seen from the worker (which writes most of it) or from the master (which reads that). */
export type ScoreboardRow = { [Name in Single]: number } & {
  readonly [Name in Several]: Float64Array;
} & { readonly [Name in Text]: Buffer };

/** A row's figures at one moment; texts have readers of their own. */
export type RowValues = Values<Exclude<Column, Text>>;

/** What all workers have counted together, those that have gone included. */
export type Totals = Values<Counter>;

type Values<Names extends Column> = {
  readonly [Name in Names]: Name extends Single ? number : readonly number[];
};

interface Place {
  readonly name: Column;
  /** Of its first cell in a row. */
  readonly at: number;
  readonly cells: number;
}

const places = (Object.keys(columns) as Column[]).reduce<readonly Place[]>((before, name) => {
  const last = before.at(-1);
  const at = last === undefined ? 0 : last.at + last.cells;
  return [...before, { name, at, cells: columns[name].cells }];
}, []);
const figures = places.filter(({ name }) => columns[name].kind !== "text");
const counters = places.filter(({ name }) => columns[name].kind === "counter");

const cacheLineCells = 8;

/** A row fills whole cache lines: what one worker writes doesn't slow down another. */
export const rowCells = cacheLineCells * Math.ceil(endOf(places.at(-1)) / cacheLineCells);

const rowCount = 2048;

/** The size for all workers that there may ever be: it doesn't grow. */
export const scoreboardBytes = rowCount * rowCells * Float64Array.BYTES_PER_ELEMENT;

/** The largest number of workers: a slot has two rows, for a worker and its successor. */
export const maxWorkers = rowCount / 2;

function map(fd: number): Float64Array {
  return new Float64Array(mapShared(fd, scoreboardBytes));
}

function cellsOf(all: Float64Array, row: number): Float64Array {
  if (row < 0 || row >= rowCount) throw new RangeError(`the scoreboard has no row ${row}`);
  return all.subarray(row * rowCells, (row + 1) * rowCells);
}

/** @param cells as many as a row has */
export function createRow(cells: Float64Array = new Float64Array(rowCells)): ScoreboardRow {
  const accessors = places.map((place) => [place.name, accessorOf(cells, place)]);
  return Object.defineProperties({}, Object.fromEntries(accessors)) as ScoreboardRow;
}

function accessorOf(cells: Float64Array, { name, at, cells: count }: Place): PropertyDescriptor {
  if (count > 1) {
    const value = cells.subarray(at, at + count);
    return { enumerable: true, value: columns[name].kind === "text" ? bytesOf(value) : value };
  }
  return {
    enumerable: true,
    get: () => cells[at] as number,
    set: (value: number) => {
      cells[at] = value;
    },
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float64Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** What a row says now. */
export function readRow(row: ScoreboardRow): RowValues {
  const read = ({ name }: Place) => {
    const value = row[name];
    return [name, typeof value === "number" ? value : [...value]];
  };
  return Object.fromEntries(figures.map(read)) as RowValues;
}

/** A worker's own row, behind an inherited descriptor. Throws SystemError when it can't be mapped. */
export function inheritedRow(fd: number, row: number): ScoreboardRow {
  return createRow(cellsOf(map(fd), row));
}

/** The rows of the other workers. More are found as slots are added, from the bottom up, each with two rows. */
export class Siblings {
  readonly #all: Float64Array;
  readonly #own: number;
  readonly #rows: ScoreboardRow[] = [];
  #end = 0;
  /** Those of one slot more than are known to be used: who has never been says nothing. */
  #next: readonly ScoreboardRow[] = [];

  /** @param row this worker's. Throws SystemError when the descriptor can't be mapped. */
  constructor(fd: number, row: number) {
    this.#all = map(fd);
    this.#own = row;
    while (this.#end <= row) this.#add();
    this.#add();
  }

  get rows(): readonly ScoreboardRow[] {
    while (this.#next.some(({ beat, takes }) => beat > 0 || takes > 0)) this.#add();
    return this.#rows;
  }

  #add(): void {
    const slot = [this.#end, this.#end + 1].filter((row) => row !== this.#own && row < rowCount);
    this.#next = slot.map((row) => createRow(cellsOf(this.#all, row)));
    this.#rows.push(...this.#next);
    this.#end += 2;
  }
}

/** The master's side: hands the descriptor to workers, clears the rows of new ones. */
export class Scoreboard {
  readonly fd: number;
  readonly #cells: Float64Array;
  /** What workers had counted whose rows others have taken since: a row of sums. */
  readonly #departed: Float64Array = new Float64Array(rowCells);
  /** Rows from here on were never a worker's. */
  #end = 0;

  /** @param fd memory of scoreboardBytes, all of it taken; it is the scoreboard's now */
  constructor(fd: number) {
    this.fd = fd;
    this.#cells = map(fd);
  }

  /** The row of a worker that is about to be spawned, with all cells at 0; the one before it has gone. */
  clear(row: number): void {
    const cells = cellsOf(this.#cells, row);
    for (const { at, cells: count } of counters) {
      for (let cell = at; cell < at + count; cell += 1) add(this.#departed, cell, cells[cell]);
    }
    cells.fill(0);
    this.#end = Math.max(this.#end, row + 1);
  }

  row(row: number): ScoreboardRow {
    return createRow(cellsOf(this.#cells, row));
  }

  /** Counted since the master's start; no figure ever goes back, whichever workers die. */
  get totals(): Totals {
    const sums = this.#departed.slice();
    for (let row = 0; row < this.#end; row += 1) {
      const first = row * rowCells;
      for (const { at, cells } of counters) {
        for (let cell = at; cell < at + cells; cell += 1)
          add(sums, cell, this.#cells[first + cell]);
      }
    }
    const total = ({ name, at, cells }: Place) =>
      [name, cells === 1 ? sums[at] : [...sums.subarray(at, at + cells)]] as const;
    return Object.fromEntries(counters.map(total)) as unknown as Totals;
  }

  close(): void {
    closeSync(this.fd);
  }
}

function add(sums: Float64Array, cell: number, value = 0): void {
  sums[cell] = (sums[cell] ?? 0) + value;
}

function endOf(place: Place | undefined): number {
  return place === undefined ? 0 : place.at + place.cells;
}

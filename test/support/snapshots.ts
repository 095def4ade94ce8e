/** What the admin server is told of a world of workers. */
import type { Snapshot } from "../../src/arbiter/admin/snapshot.ts";
import { status, type WorkerReading } from "../../src/arbiter/decide/status.ts";
import type { Doing } from "../../src/ipc/describe-doing.ts";
import { createRow, readRow, type RowValues, type Totals } from "../../src/ipc/scoreboard.ts";
import type { World } from "./arbiter-world.ts";

/** What a worker's row says, by its age; other columns are 0. */
export type Rows = Readonly<Record<number, Partial<RowValues>>>;

const idle: Doing = { inFlight: 0, newest: null, newestMs: 0, activity: null, waitsIn: null };

/** Of a server as a world has it, with whatever a test changes. What the rows count are the totals. */
export function snapshotOf(
  world: World,
  rows: Rows = {},
  change: Partial<Snapshot> = {},
): Snapshot {
  const empty = readRow(createRow());
  const readings = Object.entries(rows).map(([age, values]): [number, WorkerReading] => [
    Number(age),
    { row: { ...empty, ...values }, memoryBytes: 1000 * Number(age), doing: idle },
  ]);
  const totals: Totals = readings.reduce<RowValues>((sum, [, { row }]) => added(sum, row), empty);
  return {
    status: status(world.state, { workers: new Map(readings), totals }, world.nowMs),
    system: {
      startedAt: 1_700_000_000.5,
      masterMemoryBytes: 4096,
      masterCpuSeconds: 1.25,
      workersCpuSeconds: 2.5,
      backlog: 3,
    },
    countsConnections: true,
    certificates: [],
    ...change,
  };
}

function added(one: RowValues, other: RowValues): RowValues {
  const values = Object.entries(one).map(([name, value]) => {
    const more = other[name as keyof RowValues];
    if (typeof value === "number") return [name, value + Number(more)];
    return [name, value.map((each, at) => each + ((more as readonly number[])[at] ?? 0))];
  });
  return Object.fromEntries(values) as RowValues;
}

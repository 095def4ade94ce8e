/** What a master counts over its life, and what several have counted together. Pure. */
import type { Counted } from "../../ipc/ledger.ts";
import type { Totals } from "../../ipc/scoreboard.ts";
import type { Fleet } from "./state.ts";

export interface Counts {
  /** Of all workers. */
  readonly totals: Totals;
  /** How many workers were started, and how many have ended, by why. */
  readonly spawned: number;
  readonly ended: Fleet["ended"];
  /** Loads of the configuration. */
  readonly loads: number;
  /** CPU time of all workers, and of the master. */
  readonly workersCpuSeconds: number;
  readonly masterCpuSeconds: number;
}

export function countsOf(
  { lastAge, ended, lastGeneration }: Pick<Fleet, "lastAge" | "ended" | "lastGeneration">,
  totals: Totals,
  cpuSeconds: Pick<Counts, "workersCpuSeconds" | "masterCpuSeconds">,
): Counts {
  return { totals, spawned: lastAge, ended, loads: lastGeneration, ...cpuSeconds };
}

/** By names such as `totals.answers.2`, which stay what they are from version to version. */
export function named(counts: Counts): Counted {
  return Object.fromEntries(leaves("", counts));
}

/** What `counts` has, and what is counted elsewhere by the same names. */
export function withMore(counts: Counts, more: Counted): Counts {
  return added("", counts, more) as Counts;
}

/** Both together. */
export function sumOf(one: Counted, other: Counted): Counted {
  const sum: Record<string, number> = { ...one };
  for (const [name, value] of Object.entries(other)) sum[name] = (sum[name] ?? 0) + value;
  return sum;
}

function leaves(path: string, value: unknown): [string, number][] {
  if (typeof value === "number") return [[path, value]];
  const below = path === "" ? "" : `${path}.`;
  return Object.entries(value as object).flatMap(([key, each]) => leaves(below + key, each));
}

function added(path: string, value: unknown, more: Counted): unknown {
  if (typeof value === "number") return value + (more[path] ?? 0);
  const below = path === "" ? "" : `${path}.`;
  const entries = Object.entries(value as object).map(([key, each]) => [
    key,
    added(below + key, each, more),
  ]);
  return Array.isArray(value) ? entries.map(([, each]) => each) : Object.fromEntries(entries);
}

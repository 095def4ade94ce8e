/**
 * Visits the counts of workers in sweeps, up, down, up, down: what disturbs the machine for a while disturbs neighbours alike, and
 * no count is always the warm one. The first sweep finds where more workers bring nothing, and the rest leave those out.
 */
import type { Driver } from "../drivers/driver.ts";
import type { Load } from "../loads/loads.ts";
import { type Measured, measureTurn } from "../measure.ts";
import type { BenchServer } from "../servers/server.ts";
import { setWorkers } from "./live-workers.ts";
import { guideline, tolerance } from "./recommend.ts";

export interface TurnLengths {
  readonly turnSeconds: number;
  /** Before a turn, for workers that have not served yet. */
  readonly warmUpSeconds: number;
}

/** Seconds that a change of workers and the start of a generator take, beside the turn and its warm-up. */
const overheadSeconds = 0.3;

const shortestTurnSeconds = 0.4;
const longestTurnSeconds = 3;

/** Two steps in a row that bring nothing: more workers will bring nothing either. */
const barrenSteps = 2;

/** Which counts to try: each one on small machines, ever longer steps on large ones; past 2 x CPUs + 1 in any case. */
export function ladder(cpus: number): number[] {
  const wanted = guideline(cpus);
  const counts = new Set<number>([cpus, wanted, wanted + 1]);
  for (let count = 1; count <= wanted; count += Math.max(1, Math.floor(count / 4))) {
    counts.add(count);
  }
  return [...counts].sort((a, b) => a - b);
}

/** How long a turn may be, so that `visits` of them take `budgetSeconds`. */
export function turnLengths(visits: number, budgetSeconds: number): TurnLengths {
  const visitSeconds = budgetSeconds / visits;
  const warmUpSeconds = Math.max(0.1, Math.min(0.3, visitSeconds / 5));
  const turnSeconds = visitSeconds - warmUpSeconds - overheadSeconds;
  return {
    turnSeconds: Math.min(longestTurnSeconds, Math.max(shortestTurnSeconds, turnSeconds)),
    warmUpSeconds,
  };
}

/** Whether the last steps of a first sweep have brought nothing, so that only the guideline's count is still of interest. */
export function levelled(rates: readonly number[]): boolean {
  if (rates.length <= barrenSteps) return false;
  const before = Math.max(...rates.slice(0, -barrenSteps));
  return rates.slice(-barrenSteps).every((rate) => rate <= before * (1 + tolerance));
}

export interface Collected {
  readonly workers: number;
  readonly visits: Measured[];
}

export interface SweepParts {
  readonly driver: Driver;
  readonly server: BenchServer;
  readonly load: Load;
  readonly counts: readonly number[];
  readonly sweeps: number;
  readonly budgetSeconds: number;
  /** The counts that must be visited whatever the first sweep shows. */
  readonly always: readonly number[];
  readonly onVisit: (sweep: number, workers: number) => void;
}

/** Adds to `steps` as visits end, so that an interruption keeps them. */
export async function runSweeps(parts: SweepParts, steps: Collected[]): Promise<void> {
  const { always, sweeps, budgetSeconds } = parts;
  const begunMs = performance.now();
  let counts = [...parts.counts];
  for (let sweep = 0; sweep < sweeps; sweep++) {
    // What the first sweep has left out makes the rest longer.
    const left = budgetSeconds - (performance.now() - begunMs) / 1000;
    const lengths = turnLengths(counts.length * (sweeps - sweep), left);
    const rates: number[] = [];
    for (const workers of sweep % 2 === 0 ? counts : counts.toReversed()) {
      if (sweep === 0 && levelled(rates) && !always.includes(workers)) continue;
      parts.onVisit(sweep, workers);
      const visit = await visitCount(parts, workers, lengths);
      rates.push(visit.requestsPerSecond);
      const step = steps.find((each) => each.workers === workers);
      if (step === undefined) steps.push({ workers, visits: [visit] });
      else step.visits.push(visit);
    }
    if (sweep === 0) counts = steps.map(({ workers }) => workers);
  }
}

async function visitCount(
  { driver, server, load }: SweepParts,
  workers: number,
  { warmUpSeconds, turnSeconds }: TurnLengths,
): Promise<Measured> {
  await setWorkers(server, workers);
  await driver.run(server.url, load.traffic, warmUpSeconds);
  return measureTurn(driver, server, load.traffic, turnSeconds);
}

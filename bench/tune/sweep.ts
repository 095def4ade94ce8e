/**
 * Visits the counts of workers in sweeps, up, down, up, down: what disturbs the machine for a while disturbs neighbours alike, and
 * no count is always the warm one. The first sweep finds where more workers bring nothing, and the rest leave those out.
 */
import type { Driver } from "../drivers/driver.ts";
import { BenchError } from "../errors.ts";
import type { Load } from "../loads/load.ts";
import { type Measured, measureTurn, warmUp } from "../measure.ts";
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

const shortestWarmUpSeconds = 0.1;
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

/** What a visit takes at least, when requests take up to `latencySeconds` under this load. */
export function shortestVisit(latencySeconds: number, overhead = overheadSeconds): number {
  return shortestTurn(latencySeconds) + shortestWarmUp(latencySeconds) + overhead;
}

/** Twice as long as the slowest request: something must be answered in it. */
function shortestTurn(latencySeconds: number): number {
  return Math.max(shortestTurnSeconds, 2 * latencySeconds);
}

function shortestWarmUp(latencySeconds: number): number {
  return Math.max(shortestWarmUpSeconds, latencySeconds);
}

/** How long a turn may be, so that `visits` of them take `budgetSeconds`. */
export function turnLengths(
  visits: number,
  budgetSeconds: number,
  latencySeconds = 0,
  overhead = overheadSeconds,
): TurnLengths {
  const visitSeconds = budgetSeconds / visits;
  const shortest = shortestTurn(latencySeconds);
  const room = Math.min(0.3, visitSeconds / 5, visitSeconds - overhead - shortest);
  const warmUpSeconds = Math.max(shortestWarmUp(latencySeconds), room);
  const turnSeconds = visitSeconds - warmUpSeconds - overhead;
  return {
    turnSeconds: Math.min(Math.max(longestTurnSeconds, shortest), Math.max(shortest, turnSeconds)),
    warmUpSeconds,
  };
}

/** How many sweeps of so many visits the time allows: `most` at most, perhaps none. */
export function affordableSweeps(
  visits: number,
  seconds: number,
  visitSeconds: number,
  most: number,
): number {
  return Math.min(most, Math.max(0, Math.floor(seconds / (visits * visitSeconds))));
}

/** Leaves out every second count until one sweep fits into the time; those of `keep` and the first stay. */
export function thinOut(
  counts: readonly number[],
  seconds: number,
  visitSeconds: number,
  keep: readonly number[],
): readonly number[] {
  if (counts.length * visitSeconds <= seconds) return counts;
  const thinner = counts.filter((count, at) => at % 2 === 0 || keep.includes(count));
  return thinner.length === counts.length ? counts : thinOut(thinner, seconds, visitSeconds, keep);
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
  /** Of a request while all connections ask: turns are longer than that. */
  readonly latencySeconds: number;
  /** The counts that must be visited whatever the first sweep shows. */
  readonly always: readonly number[];
  readonly onVisit: (sweep: number, workers: number) => void;
}

/** Adds to `steps` as visits end, so that an interruption keeps them. Returns how many sweeps there was time for. */
export async function runSweeps(parts: SweepParts, steps: Collected[]): Promise<number> {
  const { always, sweeps, budgetSeconds, latencySeconds } = parts;
  const begunMs = performance.now();
  const passed = () => (performance.now() - begunMs) / 1000;
  let overhead = overheadSeconds;
  let counts = thinOut(parts.counts, budgetSeconds, shortestVisit(latencySeconds), always);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    // What the first sweep has left out makes the rest longer; what it took to change the workers is known then.
    const left = budgetSeconds - passed();
    const shortest = shortestVisit(latencySeconds, overhead);
    const affordable = affordableSweeps(counts.length, left, shortest, sweeps - sweep);
    if (sweep > 0 && affordable === 0) return sweep;
    const visits = counts.length * Math.max(1, affordable);
    const lengths = turnLengths(visits, left, latencySeconds, overhead);
    const begun = passed();
    const rates: number[] = [];
    let visited = 0;
    for (const workers of sweep % 2 === 0 ? counts : counts.toReversed()) {
      if (sweep === 0 && levelled(rates) && !always.includes(workers)) continue;
      parts.onVisit(sweep, workers);
      visited += 1;
      const visit = await visitCount(parts, workers, lengths);
      const at = steps.findIndex((each) => each.workers === workers);
      if (visit === null) {
        // Sweeps are compared within themselves: a count with a gap can't be.
        if (at !== -1) steps.splice(at, 1);
        continue;
      }
      rates.push(visit.requestsPerSecond);
      if (at === -1) steps.push({ workers, visits: [visit] });
      else steps[at]!.visits.push(visit);
    }
    counts = counts.filter((count) => steps.some(({ workers }) => workers === count));
    if (counts.length === 0) throw new BenchError("no number of workers could be measured");
    const loaded = lengths.turnSeconds + lengths.warmUpSeconds;
    overhead = Math.max(overheadSeconds, (passed() - begun) / visited - loaded);
  }
  return sweeps;
}

/** Tries again, for longer, when a turn fails; null, and a line, when that fails too. Throws when the server has ended. */
async function visitCount(
  { driver, server, load }: SweepParts,
  workers: number,
  { warmUpSeconds, turnSeconds }: TurnLengths,
): Promise<Measured | null> {
  for (const factor of [1, 2]) {
    try {
      await setWorkers(server, workers);
      await warmUp(driver, server, load.traffic, warmUpSeconds * factor);
      return await measureTurn(driver, server, load.traffic, turnSeconds * factor);
    } catch (error) {
      if (!(error instanceof BenchError) || server.ended) throw error;
      const what = factor === 1 ? "once more, for longer" : "left out";
      console.error(`\nbench: ${load.name}, ${workers} workers, ${what}: ${error.message}`);
    }
  }
  return null;
}

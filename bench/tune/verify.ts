/** The second look at a recommended count: against its neighbours, and against one that is known to be bad. */
import type { Load } from "../loads/load.ts";
import { medianOf, noiseOf } from "../statistics.ts";
import { slower, type Step, tolerance } from "./recommend.ts";

/** How one count does beside the recommended one. */
export interface Verified {
  readonly workers: number;
  /** Medians over the sweeps, each compared within itself. */
  readonly requests: number;
  /** null when the generator can't tell. */
  readonly p99: number | null;
  readonly memory: number;
  /** What chance may have done to `requests`; infinity after one turn. */
  readonly noise: number;
  readonly worse: boolean;
  readonly better: boolean;
}

/** A count that is known to be bad for a load: the wasteful end, or the starving one. */
export function badCount({ badWorkers }: Pick<Load, "badWorkers">, cpus: number): number {
  return badWorkers === "one" ? 1 : Math.max(16, 8 * cpus);
}

/** The counts of a verification: the recommended one, its neighbours, and the bad one. */
export function countsToVerify(recommended: number, bad: number): number[] {
  const counts = new Set([recommended - 1, recommended, recommended + 1, bad]);
  return [...counts].filter((count) => count > 0).sort((a, b) => a - b);
}

/** Compares every step with the recommended one, which must be among them. */
export function verify(steps: readonly Step[], recommended: number): Verified[] {
  const base = steps.find(({ workers }) => workers === recommended);
  if (base === undefined) throw new RangeError(`${recommended} workers weren't measured`);
  return steps
    .filter((step) => step !== base)
    .map((step) => {
      const compare = (of: (visit: Step["visits"][number]) => number) => {
        const sweeps = Math.min(step.visits.length, base.visits.length);
        const values = Array.from(
          { length: sweeps },
          (_, sweep) => of(step.visits[sweep]!) / of(base.visits[sweep]!),
        );
        return { middle: medianOf(values), noise: noiseOf(values) };
      };
      const requests = compare(({ requestsPerSecond }) => requestsPerSecond);
      const told = [...step.visits, ...base.visits].every(({ p99Us }) => p99Us > 0);
      const p99 = told ? compare(({ p99Us }) => p99Us) : null;
      const memory = compare(({ residentBytes }) => residentBytes);
      const fewer = requests.middle + requests.noise < 1 - tolerance;
      const tardy = p99 !== null && p99.middle - p99.noise > slower;
      const more = requests.middle - requests.noise > 1 + tolerance;
      return {
        workers: step.workers,
        requests: requests.middle,
        p99: p99?.middle ?? null,
        memory: memory.middle,
        noise: requests.noise,
        worse: fewer || tardy,
        better: more && !tardy,
      };
    });
}

/** A line for each, and one that says whether the recommendation stands. */
export function renderVerified(all: readonly Verified[], recommended: number, bad: number): string {
  const lines = all.map(({ workers, requests, p99, memory, noise, worse, better }) => {
    const verdict = verdictOf(worse, better, noise);
    const which = workers === bad ? ", the deliberately bad count" : "";
    return (
      `${workers} beside ${recommended}: ${verdict}${which} ` +
      `(requests x ${requests.toFixed(2)}${showNoise(noise)}, p99 ${p99 === null ? "-" : `x ${p99.toFixed(2)}`}, memory x ${memory.toFixed(2)})`
    );
  });
  const beaten = all.filter(({ better }) => better).map(({ workers }) => workers);
  const verdict = !all.some(({ noise }) => Number.isFinite(noise))
    ? "Not verified: one turn of each can't tell."
    : beaten.length === 0
      ? `Verified: nothing beside ${recommended} is measurably better.`
      : `Not verified: measurably better is ${beaten.join(", ")}; the machine or the app has changed between the runs.`;
  return `${[...lines, verdict].join("\n")}\n`;
}

function verdictOf(worse: boolean, better: boolean, noise: number): string {
  if (!Number.isFinite(noise)) return "one turn can't tell";
  if (worse) return "measurably worse";
  return better ? "measurably better" : "not measurably worse";
}

function showNoise(noise: number): string {
  return Number.isFinite(noise) ? ` +-${noise.toFixed(2)}` : "";
}

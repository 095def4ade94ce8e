/** Which number of workers to take: the smallest that is as good as the best, as far as noise lets one tell. */
import type { Measured } from "../measure.ts";
import { medianOf, noiseOf } from "../statistics.ts";

/** What was seen at one number of workers, one visit for each sweep, in the order of the sweeps. */
export interface Step {
  readonly workers: number;
  readonly visits: readonly Measured[];
}

/** Throughput this much below the best is as good as the best. */
export const tolerance = 0.03;

/** A 99th percentile this much above the best is too slow. */
export const slower = 1.25;

/** However noisy a run is, it excuses no more than this. */
const noiseCap = 0.1;

export interface Judged {
  readonly workers: number;
  /** Throughput, as a share of the best: the median over the sweeps, each compared within itself. */
  readonly share: number;
  /** What chance may have added to or taken from the share. */
  readonly noise: number;
  readonly p99Us: number;
  readonly verdict: "recommended" | "as good" | "fewer requests" | "slower";
}

export interface Recommendation {
  readonly workers: number;
  /** The count of the best throughput. */
  readonly best: number;
  readonly judged: readonly Judged[];
}

/** The formula of Gunicorn's documentation. */
export function guideline(cpus: number): number {
  return 2 * cpus + 1;
}

/** Throws RangeError when there is nothing to choose from. */
export function recommend(steps: readonly Step[]): Recommendation {
  const sweeps = Math.min(...steps.map(({ visits }) => visits.length));
  if (steps.length === 0 || sweeps === 0) throw new RangeError("nothing was measured");
  const relative = relativeRates(steps, sweeps);
  const best = relative.reduce((top, each) => (each.middle > top.middle ? each : top));
  const compared = relative.map(({ step, rates }) => {
    const shares = rates.map((rate, sweep) => rate / (best.rates[sweep] as number));
    const p99 = step.visits.map(({ p99Us }) => p99Us);
    return {
      workers: step.workers,
      share: medianOf(shares),
      noise: step === best.step ? 0 : Math.min(noiseCap, noiseOf(shares)),
      p99Us: medianOf(p99),
      p99Noise: Math.min(slower - 1, noiseOf(p99) / medianOf(p99)),
    };
  });
  // What isn't measurably below the limit passes: the smaller count has the benefit of the doubt.
  const fast = compared.filter(({ share, noise }) => share + noise >= 1 - tolerance);
  const bestP99Us = Math.min(...fast.map(({ p99Us }) => p99Us));
  // 0 is a latency that the generator can't tell.
  const good = fast.filter(
    ({ p99Us, p99Noise }) => bestP99Us === 0 || p99Us * (1 - p99Noise) <= bestP99Us * slower,
  );
  const chosen = good.reduce((least, each) => (each.workers < least.workers ? each : least));
  const judged = compared.map((each) => {
    const { p99Noise: _, ...facts } = each;
    if (each === chosen) return { ...facts, verdict: "recommended" as const };
    if (good.includes(each)) return { ...facts, verdict: "as good" as const };
    return {
      ...facts,
      verdict: fast.includes(each) ? ("slower" as const) : ("fewer requests" as const),
    };
  });
  return { workers: chosen.workers, best: best.step.workers, judged };
}

/** Rates as shares of their sweep's mean: what slows the machine down for a whole sweep falls out. */
function relativeRates(steps: readonly Step[], sweeps: number) {
  const means = Array.from({ length: sweeps }, (_, sweep) => {
    const rates = steps.map(({ visits }) => (visits[sweep] as Measured).requestsPerSecond);
    return rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  });
  return steps.map((step) => {
    const rates = means.map(
      (mean, sweep) => (step.visits[sweep] as Measured).requestsPerSecond / mean,
    );
    return { step, rates, middle: medianOf(rates) };
  });
}

/** One sentence: is Gunicorn's guideline right here, and why not. */
export function judgeGuideline({ workers, judged }: Recommendation, cpus: number): string {
  const wanted = guideline(cpus);
  const formula = `2 x ${cpus} + 1 = ${wanted}`;
  if (workers === wanted) return `Gunicorn's guideline, ${formula}, is right here.`;
  const there = judged.find((each) => each.workers === wanted);
  if (there === undefined) {
    return `Gunicorn's guideline, ${formula}, wasn't measured in this run: ${show(workers)} ${are(workers)} recommended.`;
  }
  const loss = Math.round((1 - there.share) * 100);
  switch (there.verdict) {
    case "fewer requests":
      return (
        `Gunicorn's guideline, ${formula}, is wrong here: it answers ${loss} % fewer requests than the best count, ` +
        `since ${more(workers, wanted)}.`
      );
    case "slower":
      return (
        `Gunicorn's guideline, ${formula}, is wrong here: its slowest requests (p99) take more than ${slower} times as long, ` +
        `since ${more(workers, wanted)}.`
      );
    default:
      return (
        `Gunicorn's guideline, ${formula}, is more than is needed here: ${show(workers)} ` +
        `${workers === 1 ? "does" : "do"} as much, since a worker serves many requests at a time and never waits idly for one.`
      );
  }
}

function more(workers: number, wanted: number): string {
  return workers < wanted
    ? "workers beyond the CPUs only take turns on them"
    : "the work that a request needs keeps more of them busy";
}

function show(workers: number): string {
  return workers === 1 ? "1 worker" : `${workers} workers`;
}

function are(workers: number): string {
  return workers === 1 ? "is" : "are";
}

/** Which number of workers to take: the smallest that is as good as the best, as far as noise lets one tell. */
import { failedShare } from "../drivers/driver.ts";
import { known, type Measured, p99Ms } from "../measure.ts";
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

/** A count of which a larger share of the requests failed isn't recommended. */
export const mostFailed = 0.01;

/** However noisy a run is, it excuses no more than this. */
const noiseCap = 0.1;

export interface Judged {
  readonly workers: number;
  /** Throughput, as a share of the best: the median over the sweeps, each compared within itself. */
  readonly share: number;
  /** What chance may have added to or taken from the share. */
  readonly noise: number;
  /** Milliseconds; null when the generator can't tell. */
  readonly p99Ms: number | null;
  readonly verdict: "recommended" | "as good" | "fewer requests" | "slower" | "failures";
}

export interface Recommendation {
  readonly workers: number;
  /** The count of the best throughput. */
  readonly best: number;
  /** Throughput was still rising at the highest count, and that is the recommended one. */
  readonly open: boolean;
  /** Too many requests failed at every count: none is recommended, and `workers` is the least bad. */
  readonly doubtful: boolean;
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
  const sound = relative.filter(({ step }) => failedShare(step.visits) <= mostFailed);
  const eligible = sound.length > 0 ? sound : relative;
  const best = eligible.reduce((top, each) => (each.middle > top.middle ? each : top));
  const compared = relative.map((each) => {
    const { step, rates } = each;
    const shares = rates.map((rate, sweep) => rate / (best.rates[sweep] || 1));
    const p99 = known(step.visits, p99Ms);
    const middle = p99.length === 0 ? null : medianOf(p99);
    return {
      workers: step.workers,
      share: medianOf(shares),
      noise: step === best.step ? 0 : excuse(noiseOf(shares)),
      p99Ms: middle,
      p99Limit: middle === null ? null : middle * (1 - excuse(noiseOf(p99) / middle)),
      eligible: eligible.includes(each),
    };
  });
  // What isn't measurably below the limit passes: the smaller count has the benefit of the doubt.
  const fast = compared.filter((each) => each.eligible && each.share + each.noise >= 1 - tolerance);
  const bestP99 = Math.min(...fast.flatMap((each) => (each.p99Ms === null ? [] : [each.p99Ms])));
  const good = fast.filter(({ p99Limit }) => p99Limit === null || p99Limit <= bestP99 * slower);
  const chosen = good.reduce((least, each) => (each.workers < least.workers ? each : least));
  const verdictOf = (each: (typeof compared)[number]): Judged["verdict"] => {
    if (!each.eligible || sound.length === 0) return "failures";
    if (each === chosen) return "recommended";
    if (good.includes(each)) return "as good";
    return fast.includes(each) ? "slower" : "fewer requests";
  };
  const judged = compared.map((each) => {
    const { p99Limit: _, eligible: __, ...facts } = each;
    return { ...facts, verdict: verdictOf(each) };
  });
  const open = stillRising(judged, chosen.workers);
  return {
    workers: chosen.workers,
    best: best.step.workers,
    open,
    doubtful: sound.length === 0,
    judged,
  };
}

/** What noise excuses: 10 % at most, and of one visit, whose noise nobody knows, nothing. */
function excuse(noise: number): number {
  return Number.isFinite(noise) ? Math.min(noiseCap, noise) : 0;
}

function stillRising(judged: readonly Judged[], chosen: number): boolean {
  const [last, before] = [...judged].sort((a, b) => b.workers - a.workers);
  if (last === undefined || before === undefined || last.workers !== chosen) return false;
  return last.share > before.share * (1 + tolerance);
}

/** Rates as shares of their sweep's mean: what slows the machine down for a whole sweep falls out. */
function relativeRates(steps: readonly Step[], sweeps: number) {
  const means = Array.from({ length: sweeps }, (_, sweep) => {
    const rates = steps.map(({ visits }) => (visits[sweep] as Measured).requestsPerSecond);
    // Nothing but failures: no share of it is more than nothing.
    return rates.reduce((sum, rate) => sum + rate, 0) / rates.length || 1;
  });
  return steps.map((step) => {
    const rates = means.map(
      (mean, sweep) => (step.visits[sweep] as Measured).requestsPerSecond / mean,
    );
    return { step, rates, middle: medianOf(rates) };
  });
}

/** One sentence: is Gunicorn's guideline right here, and why not. `shared`: the load generator takes a good part of the CPUs. */
export function judgeGuideline(
  { workers, judged }: Recommendation,
  cpus: number,
  shared = false,
): string {
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
        `since ${more(workers, wanted, shared)}.`
      );
    case "slower":
      return (
        `Gunicorn's guideline, ${formula}, is wrong here: its slowest requests (p99) take more than ${slower} times as long, ` +
        `since ${more(workers, wanted, shared)}.`
      );
    case "failures":
      return `Gunicorn's guideline, ${formula}, is wrong here: more than ${mostFailed * 100} % of its requests failed.`;
    default:
      return (
        `Gunicorn's guideline, ${formula}, is more than is needed here: ${show(workers)} ` +
        `${workers === 1 ? "does" : "do"} as much, since a worker serves many requests at a time and never waits idly for one` +
        `${shared ? ", and since the load generator takes CPUs that more workers could use" : ""}.`
      );
  }
}

function more(workers: number, wanted: number, shared: boolean): string {
  if (workers < wanted) {
    return shared
      ? "workers and the load generator, which runs on the same CPUs, take turns on them"
      : "workers beyond the CPUs only take turns on them";
  }
  return "the work that a request needs keeps more of them busy";
}

function show(workers: number): string {
  return workers === 1 ? "1 worker" : `${workers} workers`;
}

function are(workers: number): string {
  return workers === 1 ? "is" : "are";
}

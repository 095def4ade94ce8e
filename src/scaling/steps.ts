/** When the number of workers is to change by one: up soon, down late, and never at once back. Pure. */
import { advise } from "./advise.ts";
import type { LoadSample } from "./load-sample.ts";
import { measure } from "./measure.ts";

export interface AutoscaleBounds {
  readonly min: number;
  readonly max: number;
  /** For how long workers must be needed before there is one more, and for how long not before there is one less. */
  readonly upAfterMs: number;
  readonly downAfterMs: number;
}

export interface AutoscaleStep {
  readonly workers: number;
  readonly because: string;
}

/** How often a sample is taken: several heartbeats, and several samples within the shortest evidence. */
export const sampleMs = 1000;
/** A longer gap means that the machine stood still: what was before says nothing of now. */
const gapMs = 5 * sampleMs;

/** The samples that still count, with a new one behind them. */
export function withSample(
  samples: readonly LoadSample[],
  sample: LoadSample,
  { downAfterMs }: AutoscaleBounds,
): readonly LoadSample[] {
  const last = samples.at(-1) ?? sample;
  const isBroken = sample.atMs - last.atMs > gapMs || last.wanted !== sample.wanted;
  return isBroken ? [sample] : [...lately(samples, sample.atMs - downAfterMs), sample];
}

/**
 * Up, when the load of the last `upAfterMs` needs more; down, when in none of the stretches of that length within `downAfterMs`
 * all workers were needed. Null: no step.
 */
export function nextStep(
  samples: readonly LoadSample[],
  bounds: AutoscaleBounds,
): AutoscaleStep | null {
  const { min, max, upAfterMs, downAfterMs } = bounds;
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.atMs - first.atMs < upAfterMs) return null;
  const { wanted, atMs } = last;
  const now = adviseFor(lately(samples, atMs - upAfterMs), min);
  if (now === null) return null;
  const { because } = now;
  if (now.workers > wanted) return wanted < max ? { workers: wanted + 1, because } : null;
  const isLess = wanted > min && now.workers < wanted && atMs - first.atMs >= downAfterMs;
  if (!isLess) return null;
  let start = 0;
  for (let from = atMs - downAfterMs; from + upAfterMs <= atMs; from += upAfterMs) {
    while ((samples[start + 1]?.atMs ?? Infinity) <= from) start += 1;
    let end = start;
    while ((samples[end]?.atMs ?? Infinity) <= from + upAfterMs) end += 1;
    const advice = adviseFor(samples.slice(start, end), min);
    if (advice === null || advice.workers >= wanted) return null;
  }
  return { workers: wanted - 1, because };
}

function adviseFor(samples: readonly LoadSample[], min: number) {
  const figures = measure(samples);
  return figures === null ? null : advise(figures, min);
}

/** Those since a moment, and the one before it, from which on they measure. */
function lately(samples: readonly LoadSample[], sinceMs: number): readonly LoadSample[] {
  const start = samples.findLastIndex(({ atMs }) => atMs <= sinceMs);
  return samples.slice(Math.max(0, start));
}

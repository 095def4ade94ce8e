/** What another number of workers would do to latency. Pure; an estimate, by the rules of queues. */
import type { Figures } from "./measure.ts";

export interface Latency {
  /** Of a request on average, with the wait for the event loop. */
  readonly nowMs: number;
  /** The same with the other number of workers, if as many requests come. */
  readonly thenMs: number;
  /** The workers are full: the queue grows for as long as that lasts, and it is longer than `nowMs` says. */
  readonly atLeast: boolean;
}

/** Above this nobody can tell how long the queue is. */
const fullShare = 0.95;

/**
 * Null when no request came. What a request waits for in the app is those in flight by how many come in a second (Little's law),
 * without what it computes; and that is stretched by others before it in the same event loop, by 1 / (1 - share).
 */
export function latencyWith(figures: Figures, workers: number): Latency | null {
  const { requestsPerSecond, inFlight, busyCpus } = figures;
  if (requestsPerSecond === 0) return null;
  const computedMs = (1000 * busyCpus) / requestsPerSecond;
  const waitsMs = Math.max(0, (1000 * inFlight) / requestsPerSecond - computedMs);
  const [shareNow, shareThen] = [busyCpus / figures.workers, busyCpus / workers];
  const withLoop = (share: number) => waitsMs + computedMs / (1 - Math.min(share, fullShare));
  return {
    nowMs: withLoop(shareNow),
    thenMs: withLoop(shareThen),
    atLeast: shareNow >= fullShare,
  };
}

/** Figures of a stretch of time, from the samples that were taken in it. Pure. */
import type { LoadSample, WorkerBounds, WorkerLoad } from "./load-sample.ts";

export interface Figures {
  readonly seconds: number;
  /** How many workers there are to be, at the end. */
  readonly workers: number;
  /** That the server may use. */
  readonly cpus: number;
  /** How many CPUs all workers together have used on average, and each slot's. */
  readonly busyCpus: number;
  readonly shares: readonly SlotShare[];
  /** How many of the machine's CPUs nobody used; null where the system doesn't say. */
  readonly idleCpus: number | null;
  /** Which part of the time the event loops stood still, on average over the workers. */
  readonly standstill: number;
  /** The longest that one stood still, and whose it was; null when none did. */
  readonly longest: { readonly slot: number; readonly ms: number } | null;
  /** Whose event loop stands still at the end, and for how long. */
  readonly hanging: { readonly slot: number; readonly ms: number } | null;
  /** On average: of all workers together. */
  readonly inFlight: number;
  readonly connections: number;
  readonly backlog: number;
  readonly requestsPerSecond: number;
  /** Of a worker on average, and what may still be taken, at the end. */
  readonly workerBytes: number | null;
  readonly freeBytes: number | null;
  readonly bounds: WorkerBounds;
}

export interface SlotShare {
  readonly slot: number;
  /** Of one CPU, 0 to 1. */
  readonly share: number;
}

/** How often a heartbeat comes when nothing delays it. */
const beatMs = 250;
/** A heartbeat is seen at a tick of the master's: up to so much later than it came, and the next one isn't due before that. */
const seenMs = 2 * beatMs;
/** One that stands still for so long isn't on its way to an answer that somebody waits for gladly. */
const hangMs = 5000;

/** Null when the samples are of no stretch of time, or the system doesn't say what workers use. */
export function measure(samples: readonly LoadSample[]): Figures | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return null;
  if (samples.some(({ workers }) => workers.some(({ cpuSeconds }) => cpuSeconds === null)))
    return null;
  const seconds = (last.atMs - first.atMs) / 1000;
  const gains = samples.slice(1).flatMap((sample, at) => gainsOf(samples[at] ?? first, sample));
  const slots = Map.groupBy(gains, ({ slot }) => slot);
  // A slot without traffic has its share too.
  const shares = [...slots].map(([slot, all]) => {
    return { slot, share: sum(all.map(({ cpuSeconds }) => cpuSeconds)) / seconds };
  });
  const looks = samples.flatMap(({ workers }) => workers);
  const { machine, workers, bounds } = last;
  const { idleSeconds } = first.machine;
  return {
    seconds,
    workers: last.wanted,
    cpus: machine.cpus,
    busyCpus: sum(shares.map(({ share }) => share)),
    shares: shares.sort((one, other) => one.slot - other.slot),
    idleCpus:
      machine.idleSeconds === null || idleSeconds === null
        ? null
        : Math.max(0, machine.idleSeconds - idleSeconds) / seconds,
    standstill: mean(looks.map(standstillOf)),
    longest: longestOf(looks, 0),
    hanging: longestOf(workers, hangMs),
    inFlight: meanOf(samples, ({ inFlight }) => inFlight),
    connections: meanOf(samples, ({ connections }) => connections),
    backlog: mean(samples.map(({ backlog }) => backlog)),
    requestsPerSecond: sum(gains.map(({ requests }) => requests)) / seconds,
    workerBytes: meanBytes(workers),
    freeBytes: machine.freeBytes,
    bounds,
  };
}

/** What workers have used and answered from one sample to the next; of one that is new, all since its start is of that time. */
function gainsOf(before: LoadSample, now: LoadSample) {
  return now.workers.map((worker) => {
    const { age, slot, cpuSeconds, requests } = worker;
    const earlier = before.workers.find((each) => each.age === age);
    if (earlier === undefined) return { slot, cpuSeconds: 0, requests };
    return {
      slot,
      cpuSeconds: Math.max(0, (cpuSeconds ?? 0) - (earlier.cpuSeconds ?? 0)),
      requests: Math.max(0, requests - earlier.requests),
    };
  });
}

/** How long its event loop stood still, or stands by now. */
function stoodMs({ loopDelayMs, beatMs: agoMs }: WorkerLoad): number {
  return Math.max(loopDelayMs, agoMs - seenMs);
}

/** Which part of the time from one heartbeat to the next. */
function standstillOf(worker: WorkerLoad): number {
  const ms = stoodMs(worker);
  return ms <= 0 ? 0 : ms / (ms + beatMs);
}

function longestOf(looks: readonly WorkerLoad[], leastMs: number): Figures["longest"] {
  return looks.reduce<Figures["longest"]>((before, worker) => {
    const ms = stoodMs(worker);
    return ms > Math.max(leastMs, before?.ms ?? 0) ? { slot: worker.slot, ms } : before;
  }, null);
}

function meanOf(samples: readonly LoadSample[], read: (worker: WorkerLoad) => number): number {
  return mean(samples.map(({ workers }) => sum(workers.map(read))));
}

function meanBytes(workers: readonly WorkerLoad[]): number | null {
  const known = workers.flatMap(({ memoryBytes }) => (memoryBytes === null ? [] : [memoryBytes]));
  return known.length === 0 ? null : mean(known);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

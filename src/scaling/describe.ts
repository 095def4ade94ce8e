/** Advice in words, with the figures that it is made of. Pure. */
import type { Limit } from "./limit.ts";
import type { Figures, SlotShare } from "./measure.ts";

export interface Found extends Figures {
  readonly limit: Limit;
  /** Advised. */
  readonly workers: number;
  readonly now: number;
}

/** A sentence, without its full stop. */
export function describe(found: Found): string {
  const { now, busyCpus, cpus, inFlight, bounds } = found;
  const each = percent(busyCpus / now);
  switch (found.limit) {
    case "hanging": {
      const { slot, ms } = found.hanging ?? { slot: 0, ms: 0 };
      return `the event loop of slot ${slot} has stood still for ${seconds(ms)}: more workers don't help it, show requests says what it is busy with`;
    }
    case "balance": {
      const busiest = busiestOf(found.shares);
      return `slot ${busiest.slot} uses ${percent(busiest.share)} of a CPU, and the others ${percent((busyCpus - busiest.share) / (now - 1))} each: few connections have most of the requests, and more workers don't get them`;
    }
    case "machine":
      return busyCpus >= cpus / 2
        ? `the workers use ${figure(busyCpus)} of ${figure(cpus)} CPUs: more of them would take turns on these`
        : `the workers use ${figure(busyCpus)} of ${figure(cpus)} CPUs, and other processes the rest: more workers would take turns with them`;
    case "workers":
      return `the workers use ${each} of a CPU each, ${figure(busyCpus)} of ${figure(cpus)}: requests wait for the event loop, which can't use more than one${overflow(found)}`;
    case "memory":
      return `${found.workers === now ? "there is no memory for more" : "there is memory for no more"}: a worker has ${megabytes(found.workerBytes)}, ${megabytes(found.freeBytes)} are free`;
    case "turns":
      return `${figure(inFlight)} requests are with the app, which takes ${(bounds.turns ?? 1) * now} at a time: others wait for a turn while the workers use ${each} of a CPU each`;
    case "connections":
      return `${Math.round(found.connections)} connections are open, and worker_connections lets ${bounds.connections} in at each worker`;
    case "standstill":
      return `the event loops stand still for ${percent(found.standstill)} of the time, and compute for ${each}: the app waits in calls that block, and while it does, a worker serves nobody${longest(found)}`;
    case "app":
      return `${figure(inFlight)} requests are in flight, and the workers use ${each} of a CPU each: the app waits for others, and an event loop waits for many at a time${longest(found)}`;
    case "none":
      return `the workers use ${each} of a CPU each, ${figure(busyCpus)} of ${figure(cpus)}${longest(found)}`;
    case "no load":
      return `the workers use ${figure(busyCpus)} CPUs, for ${figure(found.requestsPerSecond)} requests in a second`;
    default:
      return found.limit satisfies never;
  }
}

/** More may come than full workers show. */
function overflow({ backlog, workers, now, cpus }: Found): string {
  const waiting =
    backlog >= 1 ? `, and ${Math.round(backlog)} connections wait to be accepted` : "";
  const isMore = workers > now && workers < cpus;
  return isMore
    ? `${waiting}; look again with ${workers}, as full workers hide how much comes`
    : waiting;
}

/** Longer than anybody would like to wait for nothing. */
const notableMs = 250;

function longest({ longest: found }: Figures): string {
  if (found === null || found.ms < notableMs) return "";
  return `; the event loop of slot ${found.slot} stood still for ${seconds(found.ms)} once, which more workers don't mend`;
}

function busiestOf(shares: readonly SlotShare[]): SlotShare {
  return shares.reduce((one, other) => (other.share > one.share ? other : one), {
    slot: 0,
    share: 0,
  });
}

/** `12 %`. */
export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** Two digits where they say something: `0.04`, `1.9`, `64`. */
export function figure(value: number): string {
  if (value >= 10 || Number.isInteger(value)) return String(Math.round(value));
  return value.toFixed(value < 1 ? 2 : 1);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function megabytes(bytes: number | null): string {
  return bytes === null ? "an unknown amount" : `${Math.round(bytes / 1024 ** 2)} MiB`;
}

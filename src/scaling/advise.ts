/** How many workers a measured load needs, what limits them, and why, in a sentence with its figures. Pure. */
import { describe } from "./describe.ts";
import type { Limit } from "./limit.ts";
import type { Figures } from "./measure.ts";

export interface Advice {
  readonly limit: Limit;
  /** How many there should be; where the load says nothing, how many would do for it. */
  readonly workers: number;
  /** The load was enough to tell. */
  readonly certain: boolean;
  readonly because: string;
}

/** Of one CPU: from here on requests wait several times longer than they compute, and workers are added. */
const fullShare = 0.8;
/** What is aimed at when workers are added: half as much more can come before it is too much again. */
const goodShare = 0.7;
/** Fewer workers will do if they would be no busier than this: far enough from `fullShare` to stay. */
const calmShare = 0.5;
/** Of the CPUs: what is left is too little for one more worker. */
const machineShare = 0.85;
/** How much more of the time event loops must stand still than they compute: then they wait in calls that block. */
const blockedShare = 0.3;
/** Below both, anything would do: CPUs that are used, and requests in flight. */
const littleCpus = 0.05;
const littleInFlight = 0.5;
/** So many times as many requests in flight as CPUs in use: nearly all of them wait. */
const waitingRatio = 3;
const fewCpus = 0.1;
/** Of the memory that is free; the rest is for what workers grow by. */
const memoryShare = 0.9;

/** @param least how many there shall be whatever the load: two, so that one can be replaced or stand still without harm */
export function advise(figures: Figures, least = 2): Advice {
  const { workers } = figures;
  const { limit, wanted } = wantedBy(figures, Math.min(least, workers));
  const bounded = wanted > workers ? withinMemory(figures, wanted) : wanted;
  const verdict = { limit: bounded < wanted ? "memory" : limit, workers: bounded } as const;
  const certain = limit !== "no load" && limit !== "hanging";
  return { ...verdict, certain, because: describe({ ...figures, ...verdict, now: workers }) };
}

interface Verdict {
  readonly limit: Limit;
  readonly wanted: number;
}

function wantedBy(figures: Figures, least: number): Verdict {
  const { workers, busyCpus, cpus, idleCpus, bounds, inFlight, connections, standstill } = figures;
  const stays = (limit: Limit): Verdict => ({ limit, wanted: workers });
  const more = (limit: Limit, needed: number): Verdict => {
    return { limit, wanted: Math.max(workers + 1, roundUp(needed)) };
  };
  const share = busyCpus / workers;
  const wanted = Math.max(least, Math.min(workers, fewest(figures)));
  if (figures.hanging !== null) return stays("hanging");
  if (busyCpus < littleCpus && inFlight < littleInFlight) return { limit: "no load", wanted };
  if (isUneven(figures)) return stays("balance");
  if (busyCpus >= machineShare * cpus) {
    // Beyond one for each CPU they only take turns on them, unless the app needs them for something else.
    const enough = Math.max(least, Math.min(workers, Math.ceil(cpus)));
    return bounds.turns === null ? { limit: "machine", wanted: enough } : stays("machine");
  }
  if (bounds.turns !== null && inFlight >= fullShare * bounds.turns * workers)
    return more("turns", inFlight / bounds.turns / goodShare);
  const room = (bounds.connections ?? Number.POSITIVE_INFINITY) * workers;
  if (connections >= fullShare * room)
    return more("connections", (connections / room) * (workers / goodShare));
  // What the workers use says little of what they would like to have; that they are late would show as a standstill.
  if (idleCpus !== null && idleCpus < (1 - machineShare) * Math.min(1, cpus))
    return { limit: "machine", wanted };
  const most = Math.ceil(cpus);
  if (share >= fullShare && workers >= most) return stays("machine");
  if (share >= fullShare) return more("workers", Math.min(most, busyCpus / goodShare));
  if (standstill - share >= blockedShare && standstill >= calmShare)
    return more("standstill", (workers * standstill) / goodShare);
  return { limit: inFlight >= waitingRatio * Math.max(busyCpus, fewCpus) ? "app" : "none", wanted };
}

/** One has as much as it can do, and the others together could do that too. */
function isUneven({ shares, workers, busyCpus }: Figures): boolean {
  const most = Math.max(0, ...shares.map(({ share }) => share));
  return workers > 1 && most >= fullShare && busyCpus - most < calmShare * (workers - 1);
}

/** As many as would be calm with it: computing, standing still, full of requests or of connections. */
function fewest({ busyCpus, standstill, workers, inFlight, connections, bounds }: Figures): number {
  const needs = [
    busyCpus,
    workers * standstill,
    bounds.turns === null ? 0 : inFlight / bounds.turns,
    bounds.connections === null ? 0 : connections / bounds.connections,
  ];
  return Math.max(1, roundUp(Math.max(...needs) / calmShare));
}

function withinMemory({ workers, workerBytes, freeBytes }: Figures, wanted: number): number {
  if (workerBytes === null || freeBytes === null) return wanted;
  return Math.min(wanted, workers + Math.floor((memoryShare * freeBytes) / workerBytes));
}

/** But for what calculation has added: 1.5 / 0.5 may be a little more than 3. */
function roundUp(value: number): number {
  return Math.ceil(value - 1e-9);
}

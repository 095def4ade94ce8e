/**
 * Who is to get the next connections: the slots whose workers have least to do, until all are level. Pure.
 *
 * Shares hold until the next look, so they are made for as many connections as may come until then: a few go to the least
 * loaded alone, and of thousands each slot gets nearly the same. Nothing flaps: no slot is given more than it lacks.
 */

/** What is known of a slot. */
export interface SlotLoad {
  /** A worker serves there. */
  readonly able: boolean;
  /** It leaves connections in its queue just now. */
  readonly still: boolean;
  /** Connections open, and those that wait; requests under way, once more. */
  readonly load: number;
  /** How many more connections it accepts: none at worker_connections. */
  readonly room: number;
  /** The part of the time in which its event loop is late, 0 to 1. */
  readonly lateness: number;
  /** Connections that have come since the look before. */
  readonly arrivals: number;
}

/** What is remembered of arrivals. */
export interface Arrivals {
  /** Connections that came between two looks: the most of lately. */
  readonly peak: number;
  /** When the last ones came, in milliseconds. */
  readonly lastMs: number;
  readonly seenMs: number;
}

export const noArrivals: Arrivals = {
  peak: 0,
  lastMs: Number.NEGATIVE_INFINITY,
  seenMs: Number.NEGATIVE_INFINITY,
};

/** After so long without a connection the next one may be the first of a burst. */
export const restMs = 500;

/** How large a burst after a rest is taken to be, for each slot. */
const burstEach = 4;

/** How fast a burst is forgotten. */
const halfLifeMs = 1000;

/** How finely shares are told apart: what is less isn't worth a system call. */
const steps = 32;

/** Of a worker that is always late: it is asked now and then whether it is so still. */
const leastCapacity = 0.05;

/** Who is hardly later than the best is as good: on a busy machine all are late now and then. */
const hardly = 0.15;

export function noteArrivals(before: Arrivals, arrivals: number, nowMs: number): Arrivals {
  const kept = before.peak * 0.5 ** ((nowMs - before.seenMs) / halfLifeMs);
  return {
    peak: Math.max(arrivals, kept),
    lastMs: arrivals > 0 ? nowMs : before.lastMs,
    seenMs: nowMs,
  };
}

export function resting({ lastMs }: Arrivals, nowMs: number): boolean {
  return nowMs - lastMs > restMs;
}

/**
 * What part of the new connections each slot is to get, as whole numbers from 0 on whose sum is above 0.
 * @param expected how many connections may come until the next look
 */
export function sharesOf(slots: readonly SlotLoad[], expected: number): readonly number[] {
  const capacities = capacitiesOf(slots);
  // Where nobody can take them, all wait alike.
  if (!capacities.some((capacity) => capacity > 0)) return slots.map(() => 1);
  const level = levelOf(slots, capacities, expected);
  const lacks = slots.map(({ load, room }, slot) =>
    Math.max(0, Math.min(room, level * (capacities[slot] ?? 0) - load)),
  );
  const most = Math.max(...lacks);
  return lacks.map((lack) => Math.round((lack / most) * steps));
}

/** How many connections to expect. */
export function expectedOf(arrivals: Arrivals, slots: number, nowMs: number): number {
  const least = resting(arrivals, nowMs) ? slots * burstEach : 1;
  return Math.max(arrivals.peak, least);
}

/**
 * What each can take, beside the best of them: 0 to 1. By a power of the time in which it isn't later: who comes to a
 * worker that is late half of the time waits for it, and the others may have more instead, until they are late too.
 * Where all are late, for want of CPUs, it is chance who is later.
 */
function capacitiesOf(slots: readonly SlotLoad[]): readonly number[] {
  const able = slots.filter((slot) => slot.able);
  // Where most stand still, the machine does, and whoever moves just now would get all.
  const few = able.filter(({ still }) => still).length <= able.length / 2;
  const takes = (slot: SlotLoad) => slot.able && slot.room > 0 && !(slot.still && few);
  const best = Math.min(1, ...slots.filter(takes).map(({ lateness }) => lateness));
  return slots.map((slot) => {
    const { lateness } = slot;
    if (!takes(slot)) return 0;
    const later = Math.max(0, Math.min(1, lateness) - best - hardly) / (1 - hardly);
    return Math.max(leastCapacity, (1 - later) ** 4);
  });
}

/** The load for each unit of capacity at which all are level when `expected` more have come. */
function levelOf(
  slots: readonly SlotLoad[],
  capacities: readonly number[],
  expected: number,
): number {
  const able = slots
    .map(({ load }, slot) => ({ load, capacity: capacities[slot] ?? 0 }))
    .filter(({ capacity }) => capacity > 0)
    .toSorted((a, b) => a.load / a.capacity - b.load / b.capacity);
  let load = expected;
  let capacity = 0;
  let level = 0;
  for (const each of able) {
    // Who is above the level already gets nothing, and doesn't count.
    if (capacity > 0 && each.load / each.capacity >= level) break;
    load += each.load;
    capacity += each.capacity;
    level = load / capacity;
  }
  return level;
}

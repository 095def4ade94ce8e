/** The part of plan() that gives every slot its worker. */
import type { Action } from "./events.ts";
import { signal } from "./orders.ts";
import { isOutdated } from "./renewal.ts";
import {
  type Fallback,
  type Fleet,
  leaving,
  serving,
  type Sockets,
  type State,
  wantedSlots,
  type WorkerState,
} from "./state.ts";

/** Slots that are wanted: a worker of the wanted generation in each, the old one leaving only after that. */
export function fill(state: State, nowMs: number): Action[] {
  return [...occupy(state, nowMs), ...grow(state)];
}

function occupy(state: State, nowMs: number): Action[] {
  const { fleet, sockets } = state;
  const { workers, slots, wanted, fallback, proven } = fleet;
  const out: Action[] = [];
  let { lastAge } = fleet;
  // A reload tries one worker first: broken code costs one boot, and no slot loses its worker.
  const onTrial = !proven && fallback !== null;
  let tried = workers.some((worker) => worker.generation === wanted.number);
  let restarting = restartingSlots(fleet);
  const current = [wanted.number, fallback?.generation.number];
  for (let slot = 0; slot < Math.min(wantedSlots(state), slots.length); slot++) {
    const here = workers.filter((worker) => worker.slot === slot);
    const servers = here.filter(serving);
    const fit = servers.find((worker) => isFit(fleet, worker));
    // Two reloads in a row can leave two unfit ones; the younger serves on, if it has served already.
    const keeper = fit ?? servers.findLast((worker) => worker.warm) ?? servers.at(-1);
    for (const worker of servers) {
      // A successor that isn't warm serves beside the one that it succeeds.
      const stays = worker === keeper || (keeper === fit && fit?.warm === false);
      if (!stays) out.push(signal(worker, "SIGTERM"));
    }
    for (const worker of here) {
      if (worker.phase !== "booting") continue;
      if (fit !== undefined || !current.includes(worker.generation)) {
        // It may serve by now, with its word on the way: what it has accepted is answered. One that isn't awake dies of it.
        out.push(signal(worker, "SIGTERM"));
      }
    }
    if (fit !== undefined || here.length >= 2) continue;
    if (here.some((worker) => worker.phase === "booting")) continue;
    if (nowMs < (slots[slot]?.retryAtMs ?? 0)) continue;
    if (servers.length > 0 && restarting >= wanted.maxRestarting) continue;
    let generation = wanted.number;
    if (onTrial && tried) {
      if (here.length > 0 || fallback === null) continue;
      if (isAdded(fleet, fallback, slot) && isUnreached(fleet, sockets, slot)) continue;
      // Nobody knows yet whether the new generation boots: a slot that is empty gets the old one.
      generation = fallback.generation.number;
    }
    tried = true;
    if (servers.length > 0) restarting += 1;
    lastAge += 1;
    const row = here.some((worker) => worker.row === slot * 2) ? slot * 2 + 1 : slot * 2;
    out.push({ do: "spawn", slot, row, age: lastAge, generation });
  }
  return out;
}

/**
 * A slot that only the generation on trial asks for waits for it: a worker of the old one would soon leave. Not where
 * an operator wants more than that.
 */
function isAdded({ target, wanted }: Fleet, fallback: Fallback, slot: number): boolean {
  return slot >= fallback.target && target <= wanted.workers;
}

/** No connection waits there, nor will one, before its worker is ready. */
function isUnreached({ slots }: Fleet, { steered, steerable }: Sockets, slot: number): boolean {
  if (steered === null || !steerable) return false;
  return slot >= steered.count && slots[slot]?.served === false;
}

/** Slots whose worker serves while its successor boots or warms up. */
function restartingSlots({ workers }: Fleet): number {
  const present = workers.filter((worker) => !leaving(worker));
  const slots = present.map(({ slot }) => slot);
  return new Set(slots.filter((slot, index) => slots.indexOf(slot) !== index)).size;
}

function isFit({ wanted }: Fleet, worker: WorkerState): boolean {
  if (worker.generation !== wanted.number || worker.tired) return false;
  return wanted.takesCredentials || !isOutdated(wanted, worker);
}

/** A new slot's sockets join the group, but get no connections before its worker is ready. */
function grow(state: State): Action[] {
  const { slots } = state.fleet;
  const { steered } = state.sockets;
  const wanted = wantedSlots(state);
  // Slots that have served, counted from 0 without a gap.
  const able = slots.findIndex((slot) => !slot.served);
  const ready = able === -1 ? slots.length : able;
  if (slots.length < wanted) {
    if (steered === null) return [{ do: "steer", count: slots.length }];
    return [{ do: "open slot" }];
  }
  const count = Math.min(ready, wanted);
  if (steered !== null && count > steered.count) return [{ do: "steer", count }];
  return [];
}

/**
 * plan(): the next actions that bring what is closer to what is wanted. Pure, and asked again after
 * every event: an action is asked for only while its effect isn't in the state yet.
 *
 * Invariants: a slot never has more than two workers; a worker is told to leave only when its
 * successor is ready, or its slot is being retired and no longer gets connections; slots retire
 * from the top, so that the sockets of a reuseport group keep their indices.
 */
import type { Action } from "./events.ts";
import { leaving, serving, type State, type Stopping, type WorkerState } from "./state.ts";

/** How long packets of a connection attempt may be under way when steering changes. */
const steerSettleMs = 100;
/** From ABRT to KILL, as Gunicorn's next pass of its loop. */
const abortPatienceMs = 1000;
/** A worker ends its own drain at graceful_timeout and says what it cut; the master's KILL comes after that. */
const drainMarginMs = 1000;

export function plan(state: State, nowMs: number): readonly Action[] {
  const { stopping } = state;
  if (stopping === null) {
    return [
      ...escalate(state, nowMs),
      ...retire(state, nowMs),
      ...fill(state, nowMs),
      ...tidy(state),
    ];
  }
  if (state.workers.length === 0) {
    return [{ do: "halt", exitCode: stopping.exitCode, reason: stopping.reason }];
  }
  if (!state.refusing) return [{ do: "refuse new connections" }];
  const out: Action[] = [];
  const overdue = nowMs >= stopDeadlineMs(stopping);
  for (const worker of state.workers) {
    if (worker.phase === "killed") continue;
    if (overdue) {
      out.push(kill(worker));
    } else if (stopping.how === "quick") {
      if (worker.phase !== "quitting") out.push(signal(worker, "SIGQUIT"));
    } else if (!leaving(worker)) {
      if (worker.awake) out.push(signal(worker, "SIGTERM"));
    } else {
      out.push(...escalateOne(state, worker, nowMs));
    }
  }
  return out;
}

/** The next moment, in milliseconds, at which plan() would say something new without any event. */
export function nextDeadlineMs(state: State, nowMs: number): number {
  let next = Number.POSITIVE_INFINITY;
  const consider = (atMs: number) => {
    if (atMs > nowMs) next = Math.min(next, atMs);
  };
  if (state.stopping !== null) {
    consider(stopDeadlineMs(state.stopping));
  }
  if (state.steered !== null) consider(state.steered.sinceMs + steerSettleMs);
  for (const slot of state.slots) consider(slot.retryAtMs);
  for (const worker of state.workers) {
    if (worker.phase === "aborting") consider(worker.phaseSinceMs + abortPatienceMs);
    if (worker.phase === "draining" || worker.phase === "quitting") {
      consider(worker.phaseSinceMs + state.wanted.gracefulTimeoutMs + drainMarginMs);
    }
    if (state.wanted.timeoutMs > 0 && watched(worker)) {
      consider(worker.beatAtMs + state.wanted.timeoutMs + 1);
    }
  }
  return next;
}

/** A quick stop has nothing to tell, so the workers get no margin beyond the patience. */
function stopDeadlineMs({ how, sinceMs, patienceMs }: Stopping): number {
  return sinceMs + patienceMs + (how === "graceful" ? drainMarginMs : 0);
}

type Signal = Extract<Action, { do: "signal" }>;

function signal(
  { age, pid }: WorkerState,
  name: Signal["signal"],
  because: Signal["because"] = null,
): Action {
  return { do: "signal", age, pid, signal: name, because };
}

function kill(worker: WorkerState): Action {
  const message = `Worker (pid:${worker.pid}) had not stopped after graceful_timeout, killed`;
  return signal(worker, "SIGKILL", { level: "warning", message });
}

/** Heartbeats count from ready on: a long import isn't a hang. */
function watched(worker: WorkerState): boolean {
  return worker.phase === "ready" || (worker.phase === "draining" && worker.readyAtMs !== null);
}

function escalate(state: State, nowMs: number): Action[] {
  return state.workers.flatMap((worker) => escalateOne(state, worker, nowMs));
}

function escalateOne(state: State, worker: WorkerState, nowMs: number): Action[] {
  const { timeoutMs, gracefulTimeoutMs } = state.wanted;
  const inPhaseMs = nowMs - worker.phaseSinceMs;
  if (timeoutMs > 0 && watched(worker) && nowMs - worker.beatAtMs > timeoutMs) {
    return [
      signal(worker, "SIGABRT", {
        level: "critical",
        message: `WORKER TIMEOUT (pid:${worker.pid})`,
      }),
    ];
  }
  if (worker.phase === "aborting" && inPhaseMs >= abortPatienceMs) {
    return [signal(worker, "SIGKILL")];
  }
  const told = worker.phase === "draining" || worker.phase === "quitting";
  if (told && inPhaseMs >= gracefulTimeoutMs + drainMarginMs) {
    return [kill(worker)];
  }
  return [];
}

/** Slots at and above the target: steer new connections away, let the workers go, close from the top. */
function retire(state: State, nowMs: number): Action[] {
  const { target, slots, steered } = state;
  if (slots.length <= target) return [];
  if (steered === null || steered.count > target) return [{ do: "steer", count: target }];
  if (nowMs - steered.sinceMs < steerSettleMs) return [];
  const beyond = state.workers.filter((worker) => worker.slot >= target);
  const told = beyond
    .filter((worker) => !leaving(worker) && worker.awake)
    .map((worker) => signal(worker, "SIGTERM"));
  const top = slots.length - 1;
  const occupied = beyond.some((worker) => worker.slot === top);
  return occupied || told.length > 0 ? told : [{ do: "close slot" }];
}

/** Slots below the target: a worker of the wanted generation in each, the old one leaving only after that. */
function fill(state: State, nowMs: number): Action[] {
  const out: Action[] = [];
  let { lastAge } = state;
  // A reload tries one worker first: broken code costs one boot, and no slot loses its worker.
  const onTrial = !state.proven && state.fallback !== null;
  let tried = state.workers.some((worker) => worker.generation === state.wanted.number);
  const current = [state.wanted.number, state.fallback?.generation.number];
  for (let slot = 0; slot < Math.min(state.target, state.slots.length); slot++) {
    const here = state.workers.filter((worker) => worker.slot === slot);
    const servers = here.filter(serving);
    const fit = servers.find((worker) => isFit(state, worker));
    // Two reloads in a row can leave two unfit ones; the younger serves on.
    const keeper = fit ?? servers.at(-1);
    for (const worker of servers) {
      if (worker !== keeper) out.push(signal(worker, "SIGTERM"));
    }
    for (const worker of here) {
      if (worker.phase !== "booting") continue;
      if (fit !== undefined || !current.includes(worker.generation)) {
        out.push(signal(worker, "SIGQUIT"));
      }
    }
    if (fit !== undefined || here.length >= 2) continue;
    if (here.some((worker) => worker.phase === "booting")) continue;
    if (nowMs < (state.slots[slot]?.retryAtMs ?? 0)) continue;
    let generation = state.wanted.number;
    if (onTrial && tried) {
      if (here.length > 0 || state.fallback === null) continue;
      // Nobody knows yet whether the new generation boots: a slot that is empty gets the old one.
      generation = state.fallback.generation.number;
    }
    tried = true;
    lastAge += 1;
    const row = here.some((worker) => worker.row === slot * 2) ? slot * 2 + 1 : slot * 2;
    out.push({ do: "spawn", slot, row, age: lastAge, generation });
  }
  out.push(...grow(state));
  return out;
}

function isFit(state: State, worker: WorkerState): boolean {
  return worker.generation === state.wanted.number && !worker.tired;
}

/** A new slot's sockets join the group, but get no connections before its worker is ready. */
function grow(state: State): Action[] {
  const { target, slots, steered } = state;
  // Slots that have served, counted from 0 without a gap.
  const able = slots.findIndex((slot) => !slot.served);
  const ready = able === -1 ? slots.length : able;
  if (slots.length < target) {
    if (steered === null) return [{ do: "steer", count: slots.length }];
    return [{ do: "open slot" }];
  }
  const wantedCount = Math.min(ready, target);
  if (steered !== null && wantedCount > steered.count) return [{ do: "steer", count: wantedCount }];
  return [];
}

/**
 * Once the wanted generation has proven itself, the sockets of addresses that it doesn't bind to get
 * no new connections; the workers that still have them accept what waits and drain.
 */
function tidy({ staleListeners, proven }: State): Action[] {
  return staleListeners && proven ? [{ do: "close unused listeners" }] : [];
}

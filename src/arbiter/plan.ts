/**
 * plan(): the next actions that bring what is closer to what is wanted. Pure, and asked again after
 * every event: an action is asked for only while its effect isn't in the state yet.
 *
 * Invariants: a slot never has more than two workers; a worker is told to leave only when its
 * successor is ready, or its slot is being retired and no longer gets connections; slots retire
 * from the top, so that the sockets of a reuseport group keep their indices.
 */
import type { Action } from "./events.ts";
import { leaving, serving, type State, type WorkerState } from "./state.ts";

/** How long packets of a connection attempt may be under way when steering changes. */
const steerSettleMs = 100;
/** From ABRT to KILL, as Gunicorn's next pass of its loop. */
const abortPatienceMs = 1000;
/** A worker ends its own drain at graceful_timeout and says what it cut; the master's KILL comes after that. */
const drainMarginMs = 1000;

export function plan(state: State, nowMs: number): readonly Action[] {
  const { stopping } = state;
  if (stopping === null) {
    return [...escalate(state, nowMs), ...retire(state, nowMs), ...fill(state, nowMs), ...tidy(state)];
  }
  if (state.workers.length === 0) {
    return [{ do: "halt", exitCode: stopping.exitCode, reason: stopping.reason }];
  }
  if (!state.refusing) return [{ do: "refuse new connections" }];
  const out: Action[] = [];
  const overdue = nowMs >= stopping.sinceMs + stopping.patienceMs + drainMarginMs;
  for (const worker of state.workers) {
    if (worker.phase === "killed") continue;
    if (overdue) {
      out.push(signal(worker, "SIGKILL", "warning", "had not stopped after graceful_timeout, killed"));
    } else if (stopping.how === "quick") {
      if (worker.phase !== "quitting") out.push(signal(worker, "SIGQUIT"));
    } else if (!leaving(worker)) {
      out.push(signal(worker, "SIGTERM"));
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
    consider(state.stopping.sinceMs + state.stopping.patienceMs + drainMarginMs);
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

function signal(
  worker: WorkerState,
  name: Extract<Action, { do: "signal" }>["signal"],
  level: "warning" | "critical" = "warning",
  complaint: string | null = null,
): Action {
  const because =
    complaint === null ? null : { level, message: `Worker (pid:${worker.pid}) ${complaint}` };
  return { do: "signal", age: worker.age, pid: worker.pid, signal: name, because };
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
      {
        ...signal(worker, "SIGABRT"),
        because: { level: "critical", message: `WORKER TIMEOUT (pid:${worker.pid})` },
      } as Action,
    ];
  }
  if (worker.phase === "aborting" && inPhaseMs >= abortPatienceMs) {
    return [signal(worker, "SIGKILL")];
  }
  const told = worker.phase === "draining" || worker.phase === "quitting";
  if (told && inPhaseMs >= gracefulTimeoutMs + drainMarginMs) {
    return [signal(worker, "SIGKILL", "warning", "had not stopped after graceful_timeout, killed")];
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
  const told = beyond.filter((worker) => !leaving(worker)).map((worker) => signal(worker, "SIGTERM"));
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
  for (let slot = 0; slot < Math.min(state.target, state.slots.length); slot++) {
    const here = state.workers.filter((worker) => worker.slot === slot);
    const fit = here.find((worker) => serving(worker) && isFit(state, worker));
    for (const worker of here) {
      if (worker === fit || leaving(worker)) continue;
      const outdated = worker.phase === "booting" && worker.generation !== state.wanted.number;
      if (fit !== undefined || outdated) {
        out.push(signal(worker, worker.phase === "booting" ? "SIGQUIT" : "SIGTERM"));
      }
    }
    if (fit !== undefined || here.length >= 2) continue;
    if (here.some((worker) => worker.phase === "booting")) continue;
    if (nowMs < (state.slots[slot]?.retryAtMs ?? 0)) continue;
    if (onTrial && tried) continue;
    tried = true;
    lastAge += 1;
    const row = here.some((worker) => worker.row === slot * 2) ? slot * 2 + 1 : slot * 2;
    out.push({ do: "spawn", slot, row, age: lastAge, generation: state.wanted.number });
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

/** Sockets of addresses that the wanted generation doesn't bind to close with the last worker that uses them. */
function tidy(state: State): Action[] {
  const settled =
    state.proven && state.workers.every((worker) => worker.generation === state.wanted.number);
  return state.staleListeners && settled ? [{ do: "close unused listeners" }] : [];
}

/** Small moves over the state that update() and reap() share. */
import type { LogLevel } from "../../../log/error-log.ts";
import type { Reaction } from "../events.ts";
import type { Fleet, Mastership, SlotState, Sockets, State, WorkerState } from "../state.ts";

export interface Step {
  readonly state: State;
  readonly reactions: readonly Reaction[];
}

/** A quick stop that follows a graceful one waits no longer than this, as Gunicorn's. */
const quickPatienceMs = 2000;

/** A state with nothing to say about it. */
export function still(state: State): Step {
  return { state, reactions: [] };
}

export function log(level: LogLevel, message: string): Reaction {
  return { do: "log", level, message };
}

export function withFleet(state: State, change: Partial<Fleet>): State {
  return { ...state, fleet: { ...state.fleet, ...change } };
}

export function withSockets(state: State, change: Partial<Sockets>): State {
  return { ...state, sockets: { ...state.sockets, ...change } };
}

export function withMastership(state: State, change: Partial<Mastership>): State {
  return { ...state, mastership: { ...state.mastership, ...change } };
}

export function changeWorker(state: State, age: number, change: Partial<WorkerState>): State {
  const workers = state.fleet.workers.map((worker) =>
    worker.age === age ? { ...worker, ...change } : worker,
  );
  return withFleet(state, { workers });
}

export function changeSlot(state: State, slot: number, change: Partial<SlotState>): State {
  const slots = state.fleet.slots.map((each, index) =>
    index === slot ? { ...each, ...change } : each,
  );
  return withFleet(state, { slots });
}

/** Says a line unless the log has heard of it; `key` is what must not be told twice. */
export function tellOnce(state: State, level: LogLevel, line: string, key = line): Step {
  const { told } = state.mastership;
  if (told.includes(key)) return still(state);
  return {
    state: withMastership(state, { told: [...told, key] }),
    reactions: [log(level, line)],
  };
}

/** Begins to stop, or hurries a stop that has begun. The first exit code and reason stand. */
export function stop(
  state: State,
  how: "graceful" | "quick",
  nowMs: number,
  why: { readonly exitCode: number; readonly reason: string | null },
): Step {
  const { loading, wanted } = state.fleet;
  const patienceMs = wanted.gracefulTimeoutMs;
  const { stopping } = state.mastership;
  if (stopping === null) {
    const delayMs = how === "graceful" ? wanted.drainDelayMs : 0;
    const begun = { how, sinceMs: nowMs, patienceMs, delayMs, ...why };
    return {
      state: withMastership(state, { stopping: begun }),
      reactions: loading ? [{ do: "discard" }] : [],
    };
  }
  if (stopping.how === "quick" || how === "graceful") return still(state);
  const hurried = {
    ...stopping,
    how,
    sinceMs: nowMs,
    delayMs: 0,
    patienceMs: Math.min(patienceMs, quickPatienceMs),
  };
  return {
    state: withMastership(state, { stopping: hurried }),
    reactions: [log("info", "Quick shutdown requested")],
  };
}

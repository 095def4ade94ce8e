/** Small moves over the state that update() and reap() share. */
import type { LogLevel } from "../../log/error-log.ts";
import type { Reaction } from "./events.ts";
import type { SlotState, State, WorkerState } from "./state.ts";

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

export function changeWorker(state: State, age: number, change: Partial<WorkerState>): State {
  return {
    ...state,
    workers: state.workers.map((worker) =>
      worker.age === age ? { ...worker, ...change } : worker,
    ),
  };
}

export function changeSlot(state: State, slot: number, change: Partial<SlotState>): State {
  return {
    ...state,
    slots: state.slots.map((each, index) => (index === slot ? { ...each, ...change } : each)),
  };
}

/** Begins to stop, or hurries a stop that has begun. The first exit code and reason stand. */
export function stop(
  state: State,
  how: "graceful" | "quick",
  nowMs: number,
  why: { readonly exitCode: number; readonly reason: string | null },
): Step {
  const patienceMs = state.wanted.gracefulTimeoutMs;
  const { stopping } = state;
  if (stopping === null) {
    const delayMs = how === "graceful" ? state.wanted.drainDelayMs : 0;
    return {
      state: { ...state, stopping: { how, sinceMs: nowMs, patienceMs, delayMs, ...why } },
      reactions: state.loading ? [{ do: "discard" }] : [],
    };
  }
  if (stopping.how === "quick" || how === "graceful") return still(state);
  return {
    state: {
      ...state,
      stopping: {
        ...stopping,
        how,
        sinceMs: nowMs,
        delayMs: 0,
        patienceMs: Math.min(patienceMs, quickPatienceMs),
      },
    },
    reactions: [log("info", "Quick shutdown requested")],
  };
}

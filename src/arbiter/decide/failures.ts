/** What the system refuses never ends the master: it is told once, and then tried again later, or done without. */
import type { Action, Done, Event } from "./events.ts";
import { countRetry, takeBack } from "./reap.ts";
import type { State } from "./state.ts";
import { log, type Step, still } from "./step.ts";

type Failed = Extract<Event, { type: "action failed" }>;
/** Actions that the server can do without: they count as done. */
type Dispensable = Exclude<Action, { do: "spawn" | "open slot" | "halt" }>;

const cantStart = "Can't start a worker";

/** Says once what is lost; null: nothing is. */
export function without(state: State, loss: string, refused: Error | null): Step {
  if (refused === null) return still(state);
  const line = `${loss}: ${refused.message}`;
  if (state.told.includes(line)) return still(state);
  return { state: { ...state, told: [...state.told, line] }, reactions: [log("info", line)] };
}

export function onActionFailed(state: State, { action, error }: Failed, nowMs: number): Step {
  switch (action.do) {
    case "spawn":
      return onSpawnFailed(state, action, error, nowMs);
    case "open slot":
      return onSlotFailed(state, error);
    case "halt":
      return still(state);
    default: {
      const line = `Can't ${describe(action)}: ${error.message}`;
      if (state.told.includes(line)) return still(state);
      const told = [...state.told, line];
      return { state: { ...state, told }, reactions: [log("error", line)] };
    }
  }
}

/** What an action that failed has to be taken for, so that plan() goes on; null where it asks again. */
export function takenAs(action: Action): Done | null {
  switch (action.do) {
    case "spawn":
    case "open slot":
    case "halt":
      return null;
    case "signal":
      return { type: "signalled", age: action.age, signal: action.signal };
    case "wind down":
      return { type: "winding down", age: action.age };
    case "close slot":
      return { type: "slot closed", refused: null };
    case "steer":
      return { type: "steered", count: action.count, refused: null };
    case "refuse new connections":
      return { type: "refusing", refused: null };
    case "refuse at unused listeners":
      return { type: "refusing unused", refused: null };
    case "close unused listeners":
      return { type: "unused closed", refused: null };
    case "close listeners":
      return { type: "listeners closed", refused: null };
    default:
      return action satisfies never;
  }
}

/** The next failure to start a worker is told again. */
export function forgetFailedStarts({ told }: State): readonly string[] {
  return told.some(isFailedStart) ? told.filter((line) => !isFailedStart(line)) : told;
}

function isFailedStart(line: string): boolean {
  return line.startsWith(cantStart);
}

function describe(action: Dispensable): string {
  return action.do === "signal" ? `send ${action.signal} to pid ${action.pid}` : action.do;
}

/** Out of processes, memory or descriptors: the slot tries again, ever later. A reload on trial is taken back. */
function onSpawnFailed(
  state: State,
  { slot, age, generation }: Extract<Action, { do: "spawn" }>,
  { message }: Error,
  nowMs: number,
): Step {
  // The age is used up: a process of it may have been started, and its end is on the way.
  const spent = { ...state, lastAge: age };
  const { fallback } = state;
  if (fallback !== null && !state.proven && generation === state.wanted.number) {
    return takeBack(spent, fallback, [], `${cantStart} of the new configuration: ${message}`);
  }
  const later = countRetry(spent, slot, nowMs);
  const line = `${cantStart}: ${message}`;
  if (state.told.includes(line)) return still(later);
  return { state: { ...later, told: [...state.told, line] }, reactions: [log("error", line)] };
}

function onSlotFailed(state: State, { message }: Error): Step {
  const target = state.slots.length;
  return {
    state: { ...state, target },
    reactions: [
      log("error", `Can't open the sockets of one more worker, ${target} stay: ${message}`),
      { do: "hook nworkersChanged", value: target, old: state.target },
    ],
  };
}

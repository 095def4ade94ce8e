/** What the system refuses never ends the master: it is told once, and then tried again later, or done without. */
import type { Action, Done, Event } from "../events.ts";
import type { Mastership, State } from "../state.ts";
import { countRetry, takeBack } from "./reap.ts";
import { changeWorker, log, type Step, still, tellOnce, withFleet } from "./step.ts";

type Failed = Extract<Event, { type: "action failed" }>;
/** Actions that the server can do without: they count as done. */
type Dispensable = Exclude<Action, { do: "spawn" | "open slot" | "send credentials" | "halt" }>;

const cantStart = "Can't start a worker";

/** Says once what is lost; null: nothing is. */
export function without(state: State, loss: string, refused: Error | null): Step {
  return refused === null ? still(state) : tellOnce(state, "info", `${loss}: ${refused.message}`);
}

export function onActionFailed(state: State, { action, error }: Failed, nowMs: number): Step {
  switch (action.do) {
    case "spawn":
      return onSpawnFailed(state, action, error, nowMs);
    case "open slot":
      return onSlotFailed(state, error);
    case "halt":
      return still(state);
    case "send credentials":
      return tellOnce(
        changeWorker(state, action.age, { tired: true }),
        "error",
        `Can't send renewed certificates to a worker, it is replaced: ${error.message}`,
      );
    default:
      return tellOnce(state, "error", `Can't ${describe(action)}: ${error.message}`);
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
    case "send credentials":
      return { type: "credentials sent", age: action.age, edition: action.edition };
    case "close slot":
      return { type: "slot closed", refused: null };
    case "steer":
      return { type: "steered", count: action.count, refused: null, handshakes: false };
    case "refuse new connections":
      return { type: "refusing", refused: null, handshakes: false };
    case "refuse at unused listeners":
      return { type: "refusing unused", refused: null, handshakes: false };
    case "close unused listeners":
      return { type: "unused closed", refused: null };
    case "close listeners":
      return { type: "listeners closed", refused: null };
    default:
      return action satisfies never;
  }
}

/** What the log has heard, once a worker is started: the next failure to start one is told again. */
export function toldAfterStart({ told }: Mastership): readonly string[] {
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
  const spent = withFleet(state, { lastAge: age });
  const { fallback, proven, wanted } = state.fleet;
  if (fallback !== null && !proven && generation === wanted.number) {
    return takeBack(spent, fallback, [], `${cantStart} of the new configuration: ${message}`);
  }
  return tellOnce(countRetry(spent, slot, nowMs), "error", `${cantStart}: ${message}`);
}

function onSlotFailed(state: State, { message }: Error): Step {
  const { slots, target: old } = state.fleet;
  const target = slots.length;
  return {
    state: withFleet(state, { target }),
    reactions: [
      log("error", `Can't open the sockets of one more worker, ${target} stay: ${message}`),
      { do: "hook nworkersChanged", value: target, old },
    ],
  };
}

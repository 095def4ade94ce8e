/** What each of Gunicorn's signals means for the state. */
import { maxWorkers } from "../../ipc/scoreboard.ts";
import type { SignalName } from "./events.ts";
import type { State } from "./state.ts";
import { log, type Step, still, stop } from "./step.ts";

/** A signal that has come to the master. */
export function onSignal(state: State, name: SignalName, nowMs: number): Step {
  if (name === "chld") return { state, reactions: [log("debug", "Handling signal: chld")] };
  const handled = signalled(state, name, nowMs);
  return {
    state: handled.state,
    reactions: [log("info", `Handling signal: ${name}`), ...handled.reactions],
  };
}

function signalled(state: State, name: Exclude<SignalName, "chld">, nowMs: number): Step {
  const asked = { exitCode: 0, reason: null };
  switch (name) {
    case "term":
      return stop(state, "graceful", nowMs, asked);
    case "int":
    case "quit":
      return stop(state, "quick", nowMs, asked);
    case "hup":
      if (state.stopping !== null) return still(state);
      if (state.loading) return still({ ...state, reloadAgain: true });
      return {
        state: startLoading(state),
        reactions: [
          log("info", "Hang up: Master"),
          { do: "load config", generation: state.lastGeneration + 1 },
        ],
      };
    case "ttin":
      // As Gunicorn, which counts up from none after WINCH.
      return state.resting
        ? retarget({ ...state, resting: false }, 1)
        : retarget(state, Math.min(maxWorkers, state.target + 1));
    case "ttou":
      return retarget(state, Math.max(1, state.target - 1));
    case "usr1":
      return {
        state,
        reactions: [
          { do: "reopen logs" },
          // The others haven't opened any log.
          {
            do: "pass on USR1",
            pids: state.workers.filter(({ awake }) => awake).map(({ pid }) => pid),
          },
        ],
      };
    case "usr2":
      return upgrade(state);
    case "winch":
      return rest(state);
    default:
      return name satisfies never;
  }
}

/** The state while a configuration is being loaded. */
export function startLoading(state: State): State {
  return {
    ...state,
    loading: true,
    reloadAgain: false,
    lastGeneration: state.lastGeneration + 1,
  };
}

function retarget(state: State, target: number): Step {
  if (target === state.target || state.stopping !== null) return still(state);
  return {
    state: { ...state, target },
    reactions: [{ do: "hook nworkersChanged", value: target, old: state.target }],
  };
}

/** Starts a new master beside this one: one at a time. */
function upgrade(state: State): Step {
  if (state.stopping !== null) return still(state);
  const other = state.upgrade !== null ? "Child" : state.understudy ? "Parent" : null;
  if (other === null) return { state, reactions: [{ do: "upgrade" }] };
  return { state, reactions: [log("warning", `USR2 signal ignored. ${other} exists.`)] };
}

/** The workers go, the master and its sockets stay. */
function rest(state: State): Step {
  if (state.stopping !== null || state.resting) return still(state);
  // A terminal sends WINCH to its programs whenever its window changes.
  if (state.onTerminal) {
    return { state, reactions: [log("debug", "SIGWINCH ignored. Not daemonized")] };
  }
  return {
    state: { ...state, resting: true },
    reactions: [log("info", "graceful stop of workers")],
  };
}

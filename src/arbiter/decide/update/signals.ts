/** What each of Gunicorn's signals means for the state. */
import { maxWorkers } from "../../../ipc/scoreboard.ts";
import type { Reaction, SignalName } from "../events.ts";
import type { Fleet, State } from "../state.ts";
import { log, type Step, still, stop, withFleet, withMastership } from "./step.ts";

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
  const { fleet, mastership } = state;
  const asked = { exitCode: 0, reason: null };
  switch (name) {
    case "term":
      return stop(state, "graceful", nowMs, asked);
    case "int":
    case "quit":
      return stop(state, "quick", nowMs, asked);
    case "hup":
      if (mastership.stopping !== null) return still(state);
      if (fleet.loading) return still(withFleet(state, { reloadAgain: true }));
      return {
        state: startLoading(state),
        reactions: [log("info", "Hang up: Master"), loadNext(fleet)],
      };
    case "ttin":
      // As Gunicorn, which counts up from none after WINCH.
      return mastership.resting
        ? retarget(withMastership(state, { resting: false }), 1)
        : retarget(state, Math.min(maxWorkers, fleet.target + 1));
    case "ttou":
      return retarget(state, Math.max(1, fleet.target - 1));
    case "usr1":
      return {
        state,
        reactions: [
          { do: "reopen logs" },
          // The others haven't opened any log.
          {
            do: "pass on USR1",
            pids: fleet.workers.filter(({ awake }) => awake).map(({ pid }) => pid),
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
  const lastGeneration = state.fleet.lastGeneration + 1;
  return withFleet(state, { loading: true, reloadAgain: false, lastGeneration });
}

/** Asks for the load that startLoading() counts. */
export function loadNext({ lastGeneration }: Fleet): Reaction {
  return { do: "load config", generation: lastGeneration + 1 };
}

function retarget(state: State, target: number): Step {
  const { target: old } = state.fleet;
  if (target === old || state.mastership.stopping !== null) return still(state);
  return {
    state: withFleet(state, { target }),
    reactions: [{ do: "hook nworkersChanged", value: target, old }],
  };
}

/** Starts a new master beside this one: one at a time. */
function upgrade(state: State): Step {
  const { stopping, upgrade: child, understudy } = state.mastership;
  if (stopping !== null) return still(state);
  const other = child !== null ? "Child" : understudy ? "Parent" : null;
  if (other === null) return { state, reactions: [{ do: "upgrade" }] };
  return { state, reactions: [log("warning", `USR2 signal ignored. ${other} exists.`)] };
}

/** The workers go, the master and its sockets stay. */
function rest(state: State): Step {
  const { stopping, resting, onTerminal } = state.mastership;
  if (stopping !== null || resting) return still(state);
  // A terminal sends WINCH to its programs whenever its window changes.
  if (onTerminal) {
    return { state, reactions: [log("debug", "SIGWINCH ignored. Not daemonized")] };
  }
  return {
    state: withMastership(state, { resting: true }),
    reactions: [log("info", "graceful stop of workers")],
  };
}

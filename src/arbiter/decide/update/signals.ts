/** What an operator's wishes mean for the state: Gunicorn's signals, and the commands of the control socket. */
import { maxWorkers } from "../../../ipc/scoreboard.ts";
import type { Command, Reaction } from "../events.ts";
import type { SignalName } from "../master-signals.ts";
import type { Fleet, State } from "../state.ts";
import { pauseAutoscale } from "./autoscale.ts";
import { changeWorker, log, type Step, still, stop, withFleet, withMastership } from "./step.ts";

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
      return pauseAutoscale(
        scale(state, mastership.resting ? 1 : Math.min(maxWorkers, fleet.target + 1)),
      );
    case "ttou":
      return pauseAutoscale(retarget(state, Math.max(1, fleet.target - 1)));
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

/** A command for which there is no signal. */
export function onCommand(state: State, command: Command): Step {
  switch (command.do) {
    case "scale":
      return pauseAutoscale(scale(state, command.workers));
    case "dismiss":
      return still(changeWorker(state, command.age, { dismissed: true }));
    case "replace":
      // It has served enough to succeed another one, as one that is tired by itself.
      return still(changeWorker(state, command.age, { tired: true, warm: true }));
    case "drain":
      return still(withMastership(state, { draining: true }));
    case "log level":
      return { state, reactions: [{ do: "set log level", level: command.level }] };
    case "dump": {
      const { age, what, seconds, token, uid } = command;
      const order = { type: "dump", what, seconds, token, uid } as const;
      return { state, reactions: [{ do: "dump", age, order }] };
    }
    default:
      return command satisfies never;
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

/** After WINCH there are workers again. */
function scale(state: State, target: number): Step {
  return retarget(withMastership(state, { resting: false }), target);
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

/** What the commands of the control socket mean for the state, beyond those that are signals. */
import type { Command } from "../events.ts";
import type { State } from "../state.ts";
import { changeWorker, type Step, still, withFleet, withMastership } from "./step.ts";

export function onCommand(state: State, command: Command): Step {
  switch (command.do) {
    case "scale":
      return scale(state, command.workers);
    case "dismiss":
      return still(changeWorker(state, command.age, { dismissed: true }));
    case "replace":
      // It has served enough to succeed another one, as one that is tired by itself.
      return still(changeWorker(state, command.age, { tired: true, warm: true }));
    case "drain":
      return still(withMastership(state, { draining: true }));
    case "log level":
      return { state, reactions: [{ do: "set log level", level: command.level }] };
    default:
      return command satisfies never;
  }
}

/** So many workers are wanted: after WINCH there are some again. */
export function scale(state: State, target: number): Step {
  const { target: old } = state.fleet;
  const { stopping, resting } = state.mastership;
  if (stopping !== null || (target === old && !resting)) return still(state);
  const scaled = withFleet(withMastership(state, { resting: false }), { target });
  if (target === old) return still(scaled);
  return {
    state: scaled,
    reactions: [{ do: "hook nworkersChanged", value: target, old }],
  };
}

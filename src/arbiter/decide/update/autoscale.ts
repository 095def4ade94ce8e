/** `autoscale`: when the number of workers is the server's to change, and what becomes of it. Pure. */
import type { Event } from "../events.ts";
import { progressOf } from "../status.ts";
import { type Fleet, type Generation, type State, within } from "../state.ts";
import { log, type Step, still, withFleet } from "./step.ts";

/**
 * Only when the server is as it is wanted: not in a start, a reload, a drain, a rest, an upgrade or a stop, nor while a worker is
 * missing, or one of a step before has not come or gone.
 */
export function mayAutoscale(state: State): boolean {
  const { target, slots, wanted, autoscaling } = state.fleet;
  if (wanted.autoscale === null || autoscaling.paused) return false;
  const { phase, resting, draining, newMaster, understudy, current } = progressOf(state);
  if (phase !== "ready" || resting || draining || newMaster !== null || understudy) return false;
  return current === target && slots.length === target;
}

/** A step that the load asks for. */
export function onAutoscale(
  state: State,
  { workers, because }: Extract<Event, { type: "autoscale" }>,
): Step {
  const { target: old, wanted, autoscaling } = state.fleet;
  const { autoscale } = wanted;
  if (autoscale === null || !mayAutoscale(state) || workers === old) return still(state);
  if (workers < autoscale.min || workers > autoscale.max) return still(state);
  const direction = workers > old ? "up" : "down";
  const counted = { ...autoscaling, [direction]: autoscaling[direction] + 1 };
  return {
    state: withFleet(state, { target: workers, autoscaling: counted }),
    reactions: [
      log("info", `Autoscale: ${old} -> ${workers} workers: ${because}`),
      { do: "hook nworkersChanged", value: workers, old },
    ],
  };
}

/** An operator has said how many there shall be: that holds, also when it is the number that there was. */
export function pauseAutoscale({ state, reactions }: Step): Step {
  const { wanted, autoscaling } = state.fleet;
  if (wanted.autoscale === null || autoscaling.paused || state.mastership.stopping !== null)
    return { state, reactions };
  const line = "Autoscale: paused, as the number of workers was set by hand; a reload ends that";
  return {
    state: withFleet(state, { autoscaling: { ...autoscaling, paused: true } }),
    reactions: [...reactions, log("info", line)],
  };
}

/** With how many workers a reload goes on: as many as the load has asked for, unless it says another number than before. */
export function targetAfter({ target, wanted }: Fleet, { autoscale, workers }: Generation): number {
  if (autoscale === null || wanted.autoscale === null) return workers;
  // It isn't said where it is the least that there may be: another bound is no other number.
  const isSaid = workers !== autoscale.min || wanted.workers !== wanted.autoscale.min;
  return isSaid && workers !== wanted.workers ? workers : within(autoscale, target);
}

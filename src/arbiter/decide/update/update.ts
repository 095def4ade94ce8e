/**
 * update(): what an event means for the state. Pure: no clock, no process, no log; what must be said or run comes back
 * as reactions.
 */
import { exitCodes } from "../../../ipc/exit-codes.ts";
import type { Event, Reaction, WorkerSignal } from "../events.ts";
import { editionOf, renewed } from "../renewal.ts";
import {
  type Fallback,
  freshSlot,
  type Phase,
  type SocketsChange,
  type State,
  type WorkerState,
} from "../state.ts";
import { onAutoscale, targetAfter } from "./autoscale.ts";
import { onActionFailed, takenAs, toldAfterStart, without } from "./failures.ts";
import { observe } from "./observe.ts";
import { countFailure, reap } from "./reap.ts";
import { loadNext, onCommand, onSignal, startLoading } from "./signals.ts";
import {
  changeSlot,
  changeWorker,
  log,
  type Step,
  still,
  stop,
  withFleet,
  withMastership,
  withSockets,
} from "./step.ts";

const phaseAfter: Record<WorkerSignal, Phase> = {
  SIGTERM: "draining",
  SIGQUIT: "quitting",
  SIGABRT: "aborting",
  SIGKILL: "killed",
};

export function update(state: State, event: Event, nowMs: number): Step {
  switch (event.type) {
    case "signal":
      return onSignal(state, event.name, nowMs);
    case "command":
      return onCommand(state, event.command);
    case "autoscale":
      return onAutoscale(state, event);
    case "tick":
      return observe(state, event.scores, nowMs);
    case "message":
      return onMessage(state, event, nowMs);
    case "exited":
      return reap(state, event, nowMs);
    case "config loaded":
      return onConfigLoaded(state, event);
    case "config failed":
      return onConfigFailed(state, event.message);
    case "credentials renewed":
      return still(withFleet(state, renewed(state.fleet, event.generation)));
    case "upgrade started": {
      const shared = withSockets(state, { common: state.fleet.slots.length });
      const remarks = event.remark === undefined ? [] : [log("warning", event.remark)];
      return { state: withMastership(shared, { upgrade: { pid: event.pid } }), reactions: remarks };
    }
    case "upgrade failed":
      return {
        state,
        reactions: [log("error", `Upgrade failed, this master serves on: ${event.message}`)],
      };
    case "upgrade ended":
      return onUpgradeEnded(state, event, nowMs);
    case "promoted":
      return {
        state: steerAnew(withMastership(state, { understudy: false }), nowMs),
        reactions: [log("info", "Master has been promoted."), { do: "promote" }],
      };
    case "unbalanced":
      return without(state, losses.balancing, event.refused);
    case "fault":
      return stop(state, "quick", nowMs, { exitCode: exitCodes.internal, reason: event.message });
    case "spawned": {
      const { age, pid, slot, row, generation, lifetimeMs } = event;
      const worker: WorkerState = {
        age,
        pid,
        slot,
        row,
        generation,
        phase: "booting",
        phaseSinceMs: nowMs,
        awake: false,
        answered: false,
        dismissed: false,
        timedOut: false,
        tired: false,
        warm: false,
        windingDown: false,
        edition: editionOf(state.fleet, generation),
        lifetimeMs,
        beat: 0,
        beatAtMs: nowMs,
        readyAtMs: null,
        freshBytes: null,
      };
      const told = toldAfterStart(state.mastership);
      const workers = [...state.fleet.workers, worker];
      return still(withMastership(withFleet(state, { workers, lastAge: age }), { told }));
    }
    case "signalled":
      return still(
        changeWorker(state, event.age, {
          phase: phaseAfter[event.signal],
          phaseSinceMs: nowMs,
          ...(event.signal === "SIGABRT" ? { timedOut: true } : {}),
        }),
      );
    case "winding down":
      return still(changeWorker(state, event.age, { windingDown: true }));
    case "credentials sent":
      return still(changeWorker(state, event.age, { edition: event.edition }));
    case "slot opened":
      return still(withFleet(state, { slots: [...state.fleet.slots, freshSlot] }));
    case "slot closed": {
      const slots = state.fleet.slots.slice(0, -1);
      // One that is opened in its place has sockets of this master's alone.
      const common = Math.min(state.sockets.common, slots.length);
      const closed = withSockets(withFleet(state, { slots }), { common });
      return without(closed, losses.closing, event.refused);
    }
    case "steered": {
      const { count, handshakes } = event;
      const before = state.sockets.steered;
      const same = before?.count === count ? before : null;
      const steered = { count, ...changed(same, handshakes, nowMs) };
      const steerable = event.refused === null;
      return without(withSockets(state, { steered, steerable }), losses.steering, event.refused);
    }
    case "refusing":
      return without(
        withSockets(state, { refused: changed(state.sockets.refused, event.handshakes, nowMs) }),
        losses.refusing,
        event.refused,
      );
    case "refusing unused":
      return without(
        withSockets(state, {
          unused: false,
          unusedRefused: changed(state.sockets.unusedRefused, event.handshakes, nowMs),
        }),
        losses.refusing,
        event.refused,
      );
    case "unused closed":
      return without(withSockets(state, { unusedRefused: null }), losses.closing, event.refused);
    case "listeners closed":
      return without(withSockets(state, { closed: true }), losses.closing, event.refused);
    case "action failed": {
      const failed = onActionFailed(state, event, nowMs);
      const done = takenAs(event.action);
      if (done === null) return failed;
      const { state: next, reactions } = update(failed.state, done, nowMs);
      return { state: next, reactions: [...failed.reactions, ...reactions] };
    }
    default:
      return event satisfies never;
  }
}

/** What is lost where the system refuses a help. */
const losses = {
  steering: "Connections can't be steered, a slot that closes may lose what waits in its queue",
  balancing: "New connections can't be shared out by load, the kernel spreads them",
  refusing: "New connections can't be refused while sockets close, one that comes then may be lost",
  closing: "A listening socket, or its file, can't be removed",
};

function onUpgradeEnded(
  state: State,
  { code, signal }: Extract<Event, { type: "upgrade ended" }>,
  nowMs: number,
): Step {
  const pid = state.mastership.upgrade?.pid;
  const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
  const level = code === 0 ? "info" : "error";
  return {
    state: steerAnew(withMastership(state, { upgrade: null }), nowMs),
    reactions: [log(level, `New master (pid:${pid}) ${how}, this one is the only one again`)],
  };
}

/** `before`: the same change, if it has been made already and the system was asked again. */
function changed(before: SocketsChange | null, handshakes: boolean, nowMs: number): SocketsChange {
  return { sinceMs: before?.sinceMs ?? nowMs, handshakes, lookedAtMs: nowMs };
}

/** The other master, which has gone, may have steered new connections to fewer slots than this one has. */
function steerAnew(state: State, nowMs: number): State {
  return withSockets(state, { steered: { count: 0, ...changed(null, false, nowMs) } });
}

function onConfigLoaded(state: State, event: Extract<Event, { type: "config loaded" }>): Step {
  const { generation, rebound } = event;
  if (state.mastership.stopping !== null) {
    return { state: withFleet(state, { loading: false }), reactions: [{ do: "discard" }] };
  }
  const { proven, wanted, target, fallback, slots, autoscaling } = state.fleet;
  const workers = targetAfter(state.fleet, generation);
  const sound: Fallback | null = proven
    ? { generation: wanted, target, paused: autoscaling.paused }
    : fallback;
  const loaded: State = {
    fleet: {
      ...state.fleet,
      loading: false,
      wanted: generation,
      proven: false,
      fallback: sound,
      target: workers,
      autoscaling: { ...autoscaling, paused: false },
      // A slot that backs off does so on account of the old configuration.
      slots: slots.map((slot) => ({ ...slot, failures: 0, retryAtMs: 0 })),
    },
    sockets: { ...state.sockets, unused: state.sockets.unused || rebound },
    mastership: { ...state.mastership, resting: false, draining: false },
  };
  return again(loaded, [
    { do: "use", generation: generation.number },
    { do: "hook nworkersChanged", value: workers, old: target },
    { do: "hook onReload" },
  ]);
}

function onConfigFailed(state: State, message: string): Step {
  const { stopping, resting } = state.mastership;
  const ended = withFleet(state, { loading: false, failure: message });
  // The stop has ended it.
  if (stopping !== null) return still(ended);
  const stays = resting
    ? "the workers of the last configuration come back"
    : "the running workers stay";
  return again(withMastership(ended, { resting: false }), [
    log("error", `Reload failed, ${stays}: ${message}`),
  ]);
}

/** A HUP that came while the configuration was being loaded starts the next load. */
function again(state: State, reactions: readonly Reaction[]): Step {
  if (!state.fleet.reloadAgain) return { state, reactions };
  return {
    state: startLoading(state),
    reactions: [...reactions, loadNext(state.fleet)],
  };
}

function onMessage(
  state: State,
  { age, message }: Extract<Event, { type: "message" }>,
  nowMs: number,
): Step {
  const worker = state.fleet.workers.find((each) => each.age === age);
  if (worker === undefined) return still(state);
  switch (message) {
    case "awake":
      return still(changeWorker(state, age, { awake: true }));
    case "ready": {
      const { wanted } = state.fleet;
      const beating = changeWorker(state, age, {
        awake: true,
        readyAtMs: nowMs,
        beatAtMs: nowMs,
        warm: wanted.warmupRequests === 0,
        // A worker that was told to leave while it booted stays on its way out.
        ...(worker.phase === "booting" ? { phase: "ready" as const, phaseSinceMs: nowMs } : {}),
      });
      const served = changeSlot(beating, worker.slot, { served: true });
      return still(
        worker.generation === wanted.number
          ? withFleet(served, { proven: true, fallback: null })
          : served,
      );
    }
    case "tired":
      // It has served enough to be tired, so also to succeed another one.
      return still(changeWorker(state, age, { tired: true, warm: true }));
    case "failing":
      if (worker.tired) return still(state);
      return countFailure(changeWorker(state, age, { tired: true, warm: true }), worker, nowMs, []);
    case "draining": {
      const answered = changeWorker(state, age, { answered: true });
      if (worker.phase !== "booting" && worker.phase !== "ready") return still(answered);
      // Somebody else's TERM: the slot needs a new worker now, not when this one has gone.
      return still(changeWorker(answered, age, { phase: "draining", phaseSinceMs: nowMs }));
    }
    default:
      return message satisfies never;
  }
}

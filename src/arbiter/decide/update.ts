/** update(): what an event means for the state. Pure: no clock, no process, no log; what must be said or run comes back as reactions. */
import { exitCodes } from "../../ipc/exit-codes.ts";
import type { Event, Reaction, WorkerSignal } from "./events.ts";
import { forgetFailedStarts, onActionFailed, takenAs, without } from "./failures.ts";
import { observe } from "./observe.ts";
import { countFailure, reap } from "./reap.ts";
import { onSignal, startLoading } from "./signals.ts";
import { freshSlot, type Phase, type State, type WorkerState } from "./state.ts";
import { changeSlot, changeWorker, log, type Step, still, stop } from "./step.ts";

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
    case "upgrade started":
      return still({ ...state, upgrade: { pid: event.pid }, common: state.slots.length });
    case "upgrade failed":
      return {
        state,
        reactions: [log("error", `Upgrade failed, this master serves on: ${event.message}`)],
      };
    case "upgrade ended":
      return onUpgradeEnded(state, event, nowMs);
    case "promoted":
      return {
        state: { ...state, understudy: false, steered: { count: 0, sinceMs: nowMs } },
        reactions: [log("info", "Master has been promoted."), { do: "promote" }],
      };
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
        tired: false,
        warm: false,
        windingDown: false,
        lifetimeMs,
        beat: 0,
        beatAtMs: nowMs,
        readyAtMs: null,
        freshBytes: null,
      };
      const told = forgetFailedStarts(state);
      return still({ ...state, workers: [...state.workers, worker], lastAge: age, told });
    }
    case "signalled":
      return still(
        changeWorker(state, event.age, {
          phase: phaseAfter[event.signal],
          phaseSinceMs: nowMs,
        }),
      );
    case "winding down":
      return still(changeWorker(state, event.age, { windingDown: true }));
    case "slot opened":
      return still({ ...state, slots: [...state.slots, freshSlot] });
    case "slot closed":
      return without({ ...state, slots: state.slots.slice(0, -1) }, losses.closing, event.refused);
    case "steered": {
      const steered = { count: event.count, sinceMs: nowMs };
      return without({ ...state, steered }, losses.steering, event.refused);
    }
    case "refusing":
      return without({ ...state, refusedSinceMs: nowMs }, losses.refusing, event.refused);
    case "refusing unused":
      return without(
        { ...state, staleListeners: false, staleRefusedSinceMs: nowMs },
        losses.refusing,
        event.refused,
      );
    case "unused closed":
      return without({ ...state, staleRefusedSinceMs: null }, losses.closing, event.refused);
    case "listeners closed":
      return without({ ...state, closed: true }, losses.closing, event.refused);
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
  refusing: "New connections can't be refused while sockets close, one that comes then may be lost",
  closing: "A listening socket, or its file, can't be removed",
};

function onUpgradeEnded(
  state: State,
  { code, signal }: Extract<Event, { type: "upgrade ended" }>,
  nowMs: number,
): Step {
  const pid = state.upgrade?.pid;
  // It may have steered new connections to fewer slots than this master has: they are steered anew.
  const steered = { count: 0, sinceMs: nowMs };
  const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
  const level = code === 0 ? "info" : "error";
  return {
    state: { ...state, upgrade: null, steered },
    reactions: [log(level, `New master (pid:${pid}) ${how}, this one is the only one again`)],
  };
}

function onConfigLoaded(state: State, event: Extract<Event, { type: "config loaded" }>): Step {
  const { generation, rebound } = event;
  if (state.stopping !== null) {
    return { state: { ...state, loading: false }, reactions: [{ do: "discard" }] };
  }
  const proven = state.proven ? { generation: state.wanted, target: state.target } : state.fallback;
  const loaded: State = {
    ...state,
    loading: false,
    resting: false,
    wanted: generation,
    proven: false,
    fallback: proven,
    target: generation.workers,
    staleListeners: state.staleListeners || rebound,
    // A slot that backs off does so on account of the old configuration.
    slots: state.slots.map((slot) => ({ ...slot, failures: 0, retryAtMs: 0 })),
  };
  return again(loaded, [
    { do: "use", generation: generation.number },
    { do: "hook nworkersChanged", value: generation.workers, old: state.target },
    { do: "hook onReload" },
  ]);
}

function onConfigFailed(state: State, message: string): Step {
  // The stop has ended it.
  if (state.stopping !== null) return still({ ...state, loading: false });
  const stays = state.resting
    ? "the workers of the last configuration come back"
    : "the running workers stay";
  return again({ ...state, loading: false, resting: false }, [
    log("error", `Reload failed, ${stays}: ${message}`),
  ]);
}

/** A HUP that came while the configuration was being loaded starts the next load. */
function again(state: State, reactions: readonly Reaction[]): Step {
  if (!state.reloadAgain || state.stopping !== null) return { state, reactions };
  return {
    state: startLoading(state),
    reactions: [...reactions, { do: "load config", generation: state.lastGeneration + 1 }],
  };
}

function onMessage(
  state: State,
  { age, message }: Extract<Event, { type: "message" }>,
  nowMs: number,
): Step {
  const worker = state.workers.find((each) => each.age === age);
  if (worker === undefined) return still(state);
  switch (message) {
    case "awake":
      return still(changeWorker(state, age, { awake: true }));
    case "ready": {
      const beating = changeWorker(state, age, {
        awake: true,
        readyAtMs: nowMs,
        beatAtMs: nowMs,
        warm: state.wanted.warmupRequests === 0,
        // A worker that was told to leave while it booted stays on its way out.
        ...(worker.phase === "booting" ? { phase: "ready" as const, phaseSinceMs: nowMs } : {}),
      });
      const served = changeSlot(beating, worker.slot, { served: true });
      return still(
        worker.generation === state.wanted.number
          ? { ...served, proven: true, fallback: null }
          : served,
      );
    }
    case "tired":
      // It has served enough to be tired, so also to succeed another one.
      return still(changeWorker(state, age, { tired: true, warm: true }));
    case "failing":
      if (worker.tired) return still(state);
      return countFailure(changeWorker(state, age, { tired: true, warm: true }), worker, nowMs, []);
    case "draining":
      // Somebody else's TERM: the slot needs a new worker now, not when this one has gone.
      if (worker.phase !== "booting" && worker.phase !== "ready") return still(state);
      return still(changeWorker(state, age, { phase: "draining", phaseSinceMs: nowMs }));
    default:
      return message satisfies never;
  }
}

/**
 * plan(): the next actions that bring what is closer to what is wanted. Pure, and asked again after
 * every event: an action is asked for only while its effect isn't in the state yet.
 *
 * Invariants: a slot never has more than two workers; a worker is told to leave only when its
 * successor is ready, or its slot is being retired and no longer gets connections; slots retire
 * from the top, so that the sockets of a reuseport group keep their indices.
 */
import type { Action } from "./events.ts";
import { fill } from "./fill.ts";
import { changesAtMs } from "./update/observe.ts";
import { sendCredentials } from "./renewal.ts";
import {
  type Fleet,
  type Generation,
  leaving,
  sharing,
  type Sockets,
  type SocketsChange,
  type State,
  type Stopping,
  wantedSlots,
  type WorkerState,
} from "./state.ts";
import { kill, signal } from "./orders.ts";

/** How long packets of a handshake that has begun may be under way when new ones go elsewhere, or are refused. */
const settleMs = 100;
/** The same for clients that have sent nothing: the kernel lets them in behind the second SYN-ACK, after one second. */
const silentSettleMs = 1500;
/** From ABRT to KILL, as Gunicorn's next pass of its loop. */
const abortPatienceMs = 1000;
/** How long after KILL a process may be there; then it is killed anew, or left behind by a stop. */
const immortalAfterMs = 5000;
/** A worker ends its own drain at graceful_timeout and says what it cut; the master's KILL comes after that. */
const drainMarginMs = 1000;
/** How long a worker that still loads the app may take to say that it leaves: by then its event loop is blocked. */
const unheardMs = 2000;

export function plan(state: State, nowMs: number): readonly Action[] {
  const { fleet, sockets } = state;
  const { stopping, resting, draining } = state.mastership;
  const ordered = obey(fleet);
  if (ordered.length > 0) return ordered;
  const serves = stopping === null || nowMs < stopping.sinceMs + stopping.delayMs;
  // Who hangs isn't told to leave besides: it would get graceful_timeout to do so.
  const late = serves ? escalate(fleet, nowMs) : [];
  if (late.length > 0) return late;
  if (stopping === null) {
    const unused = leaveUnused(state, nowMs);
    if (resting) {
      const away = leaveToOther(state, nowMs);
      return away === null ? (unused ?? dismiss(fleet.workers)) : [...away, ...(unused ?? [])];
    }
    return [
      ...sendCredentials(fleet),
      ...(draining ? windDown(fleet) : []),
      ...retire(state, nowMs),
      ...(unused ?? fill(state, nowMs)),
    ];
  }
  if (serves) return [...sendCredentials(fleet), ...windDown(fleet), ...fill(state, nowMs)];
  if (fleet.workers.every((worker) => immortal(worker, nowMs))) {
    const { exitCode, reason } = stopping;
    return [{ do: "halt", exitCode, reason, left: fleet.workers.map(({ pid }) => pid) }];
  }
  const away = leaveToOther(state, nowMs);
  if (away !== null) return away;
  const refusing = refuse(state, stopping, nowMs);
  if (refusing !== null) return [...escalate(fleet, nowMs), ...refusing];
  // Workers have theirs, and close them when nothing waits any more: from then on clients are told to go elsewhere.
  const out: Action[] = sockets.closed ? [] : [{ do: "close listeners" }];
  const overdue = nowMs >= stopDeadlineMs(stopping, sockets);
  for (const worker of fleet.workers) {
    if (worker.phase === "killed") continue;
    if (overdue) {
      out.push(kill(worker, "after graceful_timeout"));
    } else if (stopping.how === "quick") {
      if (worker.phase !== "quitting") out.push(signal(worker, "SIGQUIT"));
      else out.push(...escalateOne(fleet, worker, nowMs));
    } else if (!leaving(worker)) {
      if (worker.awake) out.push(signal(worker, "SIGTERM"));
    } else {
      out.push(...escalateOne(fleet, worker, nowMs));
    }
  }
  return out;
}

/** The next moment, in milliseconds, at which plan() would say something new without any event. */
export function nextDeadlineMs(state: State, nowMs: number): number {
  let next = Number.POSITIVE_INFINITY;
  const consider = (atMs: number) => {
    if (atMs > nowMs) next = Math.min(next, atMs);
  };
  const { wanted, slots, workers } = state.fleet;
  const { steered, refused, unusedRefused } = state.sockets;
  const { stopping } = state.mastership;
  if (stopping !== null) {
    consider(stopping.sinceMs + stopping.delayMs);
    consider(stopDeadlineMs(stopping, state.sockets));
  }
  for (const change of [steered, refused, unusedRefused]) {
    if (change === null) continue;
    consider(change.lookedAtMs + settleMs);
    consider(change.sinceMs + silentSettleMs);
  }
  for (const slot of slots) consider(slot.retryAtMs);
  for (const worker of workers) {
    consider(changesAtMs(worker));
    if (worker.phase === "killed") consider(worker.phaseSinceMs + immortalAfterMs);
    if (worker.phase === "aborting") consider(worker.phaseSinceMs + abortPatienceMs);
    if (worker.phase === "draining" || worker.phase === "quitting") {
      consider(worker.phaseSinceMs + leaveMs(wanted, worker));
    }
    if (wanted.timeoutMs > 0 && watched(worker)) {
      consider(worker.beatAtMs + wanted.timeoutMs + 1);
    }
  }
  return next;
}

/** A quick stop has nothing to tell, so the workers get no margin beyond the patience. */
function stopDeadlineMs(stopping: Stopping, { steered, refused }: Sockets): number {
  const { how, sinceMs, delayMs, patienceMs } = stopping;
  const begunMs = sinceMs + delayMs;
  if (how === "quick") return begunMs + patienceMs;
  const settlingMs = lateMs(steered, begunMs) + lateMs(refused, begunMs);
  return begunMs + settlingMs + patienceMs + drainMarginMs;
}

/** How long after `begunMs` workers are told to leave because handshakes are under way. */
function lateMs(change: SocketsChange | null, begunMs: number): number {
  if (change === null) return 0;
  const { sinceMs, handshakes, lookedAtMs } = change;
  const toldMs = handshakes ? sinceMs + silentSettleMs : lookedAtMs;
  // Connections may have been steered long before.
  return Math.max(0, toldMs - Math.max(sinceMs, begunMs));
}

/** drain_delay, and an operator's drain: a load balancer that is slow to notice still gets answers. */
function windDown(fleet: Fleet): Action[] {
  return fleet.workers
    .filter((worker) => worker.phase === "ready" && !worker.windingDown)
    .map(({ age }): Action => ({ do: "wind down", age }));
}

/**
 * Before the sockets close, no new handshake begins at them; null when those that had begun are through. A quick stop
 * waits for nobody.
 */
function refuse({ sockets, mastership }: State, { how }: Stopping, nowMs: number): Action[] | null {
  if (sharing(mastership)) return null;
  const { refused } = sockets;
  if (refused !== null && how === "quick") return null;
  const through = refused === null ? null : settled(refused, nowMs);
  if (through === null) return [{ do: "refuse new connections" }];
  return through ? null : [];
}

/** Slots that the other master hasn't get no more connections before their workers go; null when that is done. */
function leaveToOther({ fleet, sockets, mastership }: State, nowMs: number): Action[] | null {
  const { common } = sockets;
  const others = sharing(mastership) && fleet.slots.length > common;
  return others ? steerTo(sockets, common, nowMs) : null;
}

/** New connections reach the first `count` slots only; null when the last of the others have arrived. */
function steerTo({ steered }: Sockets, count: number, nowMs: number): Action[] | null {
  if (steered === null || steered.count > count) return [{ do: "steer", count }];
  const through = settled(steered, nowMs);
  if (through === null) return [{ do: "steer", count }];
  return through ? null : [];
}

/** Whether the last that had begun to connect before have arrived; null: the system has to be asked again. */
function settled({ sinceMs, handshakes, lookedAtMs }: SocketsChange, nowMs: number) {
  if (!handshakes) return nowMs >= sinceMs + settleMs;
  if (nowMs >= sinceMs + silentSettleMs) return true;
  return nowMs >= lookedAtMs + settleMs ? null : false;
}

/** Not even KILL has ended it: the system refuses the signal, or a driver holds the process. */
function immortal({ phase, phaseSinceMs }: WorkerState, nowMs: number): boolean {
  return phase === "killed" && nowMs - phaseSinceMs >= immortalAfterMs;
}

/** Those that stay so far, and take signals, are told to leave. */
function dismiss(workers: readonly WorkerState[]): Action[] {
  return workers
    .filter((worker) => !leaving(worker) && worker.awake)
    .map((worker) => signal(worker, "SIGTERM"));
}

/** What an operator has ordered. */
function obey({ workers }: Fleet): Action[] {
  return workers
    .filter((worker) => worker.dismissed && worker.awake && !leaving(worker))
    .map((worker) => {
      const message = `Worker (pid:${worker.pid}) is told to leave, by a command`;
      return signal(worker, "SIGTERM", { level: "info", message });
    });
}

/** Heartbeats count from ready on: a long import isn't a hang. */
function watched(worker: WorkerState): boolean {
  return worker.phase === "ready" || (worker.phase === "draining" && worker.readyAtMs !== null);
}

function escalate(fleet: Fleet, nowMs: number): Action[] {
  return fleet.workers.flatMap((worker) => escalateOne(fleet, worker, nowMs));
}

/** It has never served, and doesn't take signals: nobody has a request there, and what waits in its queue waits in vain. */
function isUnheard({ readyAtMs, answered }: WorkerState): boolean {
  return readyAtMs === null && !answered;
}

/** How long a worker that was told to leave may take. */
function leaveMs({ gracefulTimeoutMs }: Generation, worker: WorkerState): number {
  const wholeMs = gracefulTimeoutMs + drainMarginMs;
  return isUnheard(worker) ? Math.min(unheardMs, wholeMs) : wholeMs;
}

function escalateOne({ wanted }: Fleet, worker: WorkerState, nowMs: number): Action[] {
  const { timeoutMs } = wanted;
  const inPhaseMs = nowMs - worker.phaseSinceMs;
  if (timeoutMs > 0 && watched(worker) && nowMs - worker.beatAtMs > timeoutMs) {
    return [
      signal(worker, "SIGABRT", {
        level: "critical",
        message: `WORKER TIMEOUT (pid:${worker.pid})`,
      }),
    ];
  }
  if (worker.phase === "aborting" && inPhaseMs >= abortPatienceMs) {
    return [signal(worker, "SIGKILL")];
  }
  if (immortal(worker, nowMs)) return [signal(worker, "SIGKILL")];
  const told = worker.phase === "draining" || worker.phase === "quitting";
  if (told && inPhaseMs >= leaveMs(wanted, worker)) {
    return [kill(worker, isUnheard(worker) ? "while it loaded the app" : "after graceful_timeout")];
  }
  return [];
}

/** Slots beyond those that are wanted: steer new connections away, let the workers go, close from the top. */
function retire(state: State, nowMs: number): Action[] {
  const { slots, workers } = state.fleet;
  const wanted = wantedSlots(state);
  if (slots.length <= wanted) return [];
  const steering = steerTo(state.sockets, wanted, nowMs);
  if (steering !== null) return steering;
  const beyond = workers.filter((worker) => worker.slot >= wanted);
  const told = dismiss(beyond);
  const top = slots.length - 1;
  const occupied = beyond.some((worker) => worker.slot === top);
  return occupied || told.length > 0 ? told : [{ do: "close slot" }];
}

/**
 * Once there is no generation to go back to, the sockets of addresses that the wanted one doesn't bind to get no new
 * connections, and then close: before any worker leaves that still has them, which accepts what waits and drains. A load that
 * is under way and wants one of them again opens it anew. Null when nothing is left to do.
 */
function leaveUnused({ fleet, sockets }: State, nowMs: number): Action[] | null {
  const { unused, unusedRefused } = sockets;
  if (unusedRefused === null)
    return unused && fleet.fallback === null ? [{ do: "refuse at unused listeners" }] : null;
  const through = settled(unusedRefused, nowMs);
  // Those that a load has left out since may be taken back.
  if (through === null && !unused) return [{ do: "refuse at unused listeners" }];
  return through === true ? [{ do: "close unused listeners" }] : [];
}

/** What the death of a worker means: Gunicorn's log lines, a halt, a reload taken back, or a respawn. */
import { exitCodes } from "../../../ipc/exit-codes.ts";
import type { Event, Reaction } from "../events.ts";
import { type Ending, type Fallback, leaving, type State, type WorkerState } from "../state.ts";
import { changeSlot, log, type Step, still, stop, withFleet } from "./step.ts";

type Exit = Extract<Event, { type: "exited" }>;

/** A worker that served this long was sound: its death doesn't count towards the back-off. */
const soundAfterMs = 10_000;
const backOffBaseMs = 500;
const backOffLimitMs = 30_000;
const leastRetryMs = 1000;

/** How long to wait before the next start: none after a first death, then doubling. */
export function backOffMs(failures: number): number {
  if (failures <= 1) return 0;
  return Math.min(backOffLimitMs, backOffBaseMs * 2 ** (failures - 2));
}

export function reap(state: State, exit: Exit, nowMs: number): Step {
  const { workers, wanted, proven, fallback, ended } = state.fleet;
  const { stopping } = state.mastership;
  const worker = workers.find((each) => each.age === exit.age);
  if (worker === undefined) return still(state);
  const why = endingOf(worker, exit);
  const without = withFleet(state, {
    workers: workers.filter((each) => each !== worker),
    ended: { ...ended, [why]: ended[why] + 1 },
  });
  const reactions: Reaction[] = [...obituary(worker, exit)];
  const bootFailed = worker.readyAtMs === null && !leaving(worker);
  const ofWanted = worker.generation === wanted.number;

  if (bootFailed && ofWanted && !proven && stopping === null) {
    if (fallback !== null) {
      const why = `worker (pid:${worker.pid}) of the new configuration failed to boot`;
      const taken = takeBack(without, fallback, reactions, why);
      return { state: taken.state, reactions: [...taken.reactions, childExit(worker)] };
    }
    if (exit.code === exitCodes.workerBoot || exit.code === exitCodes.appLoad) {
      const reason =
        exit.code === exitCodes.workerBoot ? "Worker failed to boot." : "App failed to load.";
      const stopped = stop(without, "quick", nowMs, { exitCode: exit.code, reason });
      return { state: stopped.state, reactions: [...reactions, ...stopped.reactions] };
    }
  }
  reactions.push(childExit(worker));
  // A worker that went as it was told, or in the course of a stop, says nothing about its slot.
  if (stopping !== null || (leaving(worker) && worker.phase !== "aborting")) {
    return { state: without, reactions };
  }
  return countFailure(without, worker, nowMs, reactions);
}

/** Why it has ended: what the master had done comes before how the process went. */
export function endingOf(
  worker: WorkerState,
  { signal, code }: Omit<Exit, "type" | "age">,
): Ending {
  if (worker.timedOut) return "timeout";
  if (worker.phase === "killed") return "killed";
  if (leaving(worker)) return worker.tired ? "recycled" : "told";
  if (worker.readyAtMs === null) return "boot";
  if (worker.tired && code === exitCodes.ok) return "recycled";
  return signal === null ? "exit" : "signal";
}

function childExit(worker: WorkerState): Reaction {
  return { do: "hook childExit", age: worker.age };
}

/** The reload's first worker didn't come up: everything is as it was before. */
export function takeBack(
  state: State,
  fallback: Fallback,
  reactions: readonly Reaction[],
  why: string,
): Step {
  const { target: old, autoscaling: now } = state.fleet;
  const { generation, target, paused } = fallback;
  const autoscaling = { ...now, paused };
  const back: Reaction[] = [
    log("error", `Reload failed, the running workers stay: ${why}`),
    { do: "use", generation: generation.number },
  ];
  if (target !== old) back.push({ do: "hook nworkersChanged", value: target, old });
  return {
    state: withFleet(state, {
      wanted: generation,
      target,
      proven: true,
      fallback: null,
      failure: why,
      autoscaling,
    }),
    reactions: [...reactions, ...back],
  };
}

/** A start that the system has refused: the next one in the slot waits, and longer each time. */
export function countRetry(state: State, slot: number, nowMs: number): State {
  const failures = (state.fleet.slots[slot]?.failures ?? 0) + 1;
  const waitMs = Math.max(backOffMs(failures), leastRetryMs);
  return changeSlot(state, slot, { failures, retryAtMs: nowMs + waitMs });
}

/** One more death, or as good as one: the next start in the slot waits longer. */
export function countFailure(
  state: State,
  worker: WorkerState,
  nowMs: number,
  reactions: readonly Reaction[],
): Step {
  const sound = worker.readyAtMs !== null && nowMs - worker.readyAtMs >= soundAfterMs;
  const failures = sound ? 1 : (state.fleet.slots[worker.slot]?.failures ?? 0) + 1;
  const waitMs = backOffMs(failures);
  const backedOff = changeSlot(state, worker.slot, { failures, retryAtMs: nowMs + waitMs });
  if (waitMs === 0) return { state: backedOff, reactions };
  return {
    state: backedOff,
    reactions: [
      ...reactions,
      log(
        "warning",
        `Worker of slot ${worker.slot} failed ${failures} times in a row, next start in ${waitMs / 1000} s`,
      ),
    ],
  };
}

/** The line about a death, if it deserves one. */
function obituary(worker: WorkerState, { code, signal, about }: Exit): readonly Reaction[] {
  const who = `Worker (pid:${worker.pid})`;
  const more = about === undefined ? "" : ` ${about}`;
  if (signal !== null) {
    // What the master itself did is in the log already, with its reason.
    if (worker.phase === "killed" && signal === "SIGKILL") return [];
    // Or it is in the ordinary course of things: before it is awake, a process dies of the signal that tells it to leave.
    const isTold = leaving(worker) && worker.readyAtMs === null;
    if (isTold && (signal === "SIGTERM" || signal === "SIGQUIT")) return [];
    if (signal === "SIGKILL") {
      return [log("error", `${who} was sent SIGKILL! Perhaps out of memory?${more}`)];
    }
    return [log(signal === "SIGTERM" ? "info" : "warning", `${who} was sent ${signal}!${more}`)];
  }
  if (code === exitCodes.ok && (leaving(worker) || worker.tired)) return [];
  if (code === exitCodes.ok) return [log("warning", `${who} exited with code 0, unasked.${more}`)];
  return [log("error", `${who} exited with code ${code}.${more}`)];
}

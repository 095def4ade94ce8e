/** What a tick shows of the workers: heartbeats, warm-up, and who has lived or grown beyond its bounds. */
import type { Reaction, WorkerScores } from "../events.ts";
import type { Generation, State, WorkerState } from "../state.ts";
import { countFailure } from "./reap.ts";
import { log, type Step, tellOnce, withFleet } from "./step.ts";

/** Ticks come at least once a second; a gap this long means that the whole machine stood still, not the workers. */
const clockJumpMs = 5000;

/** How long a successor waits for its warmup_requests: without traffic they would never come. */
const warmupLimitMs = 10_000;

/** A new worker may be large while it starts: its memory counts from here on. */
const memoryGraceMs = 5000;

export function observe(
  state: State,
  scores: ReadonlyMap<number, WorkerScores>,
  nowMs: number,
): Step {
  const { wanted, lastTickMs } = state.fleet;
  const jumped = nowMs - lastTickMs > clockJumpMs;
  const reactions: Reaction[] = [];
  const oversized: WorkerState[] = [];
  const workers = state.fleet.workers.map((worker) => {
    const seen = scores.get(worker.age);
    const beaten =
      jumped || (seen !== undefined && seen.beat !== worker.beat)
        ? { ...worker, beat: seen?.beat ?? worker.beat, beatAtMs: nowMs }
        : worker;
    if (beaten.phase !== "ready" || beaten.readyAtMs === null) return beaten;
    const freshBytes = freshBytesOf(beaten, seen, nowMs);
    const warm = beaten.warm || isWarm(wanted, beaten, seen, nowMs);
    const why = beaten.tired ? null : whyTired(wanted, beaten, seen, nowMs);
    const next = { ...beaten, freshBytes, warm, tired: beaten.tired || why !== null };
    if (why !== null) {
      reactions.push(log("info", `Worker (pid:${worker.pid}) ${why}: replacing it`));
      if ((freshBytes ?? 0) > wanted.maxMemoryBytes) oversized.push(next);
    }
    return next;
  });
  const seen = withFleet(state, { workers, lastTickMs: nowMs });
  return oversized.reduce<Step>((step, worker) => slowDown(step, worker, nowMs), {
    state: seen,
    reactions,
  });
}

/** The least of its samples in the grace: a peak at the start passes, and what it grows to later says nothing of a new one. */
function freshBytesOf(
  worker: WorkerState,
  seen: WorkerScores | undefined,
  nowMs: number,
): number | null {
  const { freshBytes } = worker;
  const bytes = seen?.memoryBytes ?? null;
  if (bytes === null || servedMs(worker, nowMs) >= memoryGraceMs) return freshBytes;
  return Math.min(bytes, freshBytes ?? bytes);
}

/** No replacement can be smaller: they come more and more slowly, and the log says once why. */
function slowDown({ state, reactions }: Step, worker: WorkerState, nowMs: number): Step {
  const limit = state.fleet.wanted.maxMemoryBytes;
  const lesson = `max_memory is ${limit} bytes, and a new worker needs more`;
  const line = `${lesson}: ${worker.freshBytes} bytes. Its workers are replaced more and more slowly`;
  const counted = countFailure(state, worker, nowMs, reactions);
  const told = tellOnce(counted.state, "warning", line, lesson);
  return { state: told.state, reactions: [...counted.reactions, ...told.reactions] };
}

/** When a worker that nothing happens to becomes warm, or too old. */
export function changesAtMs(worker: WorkerState): number {
  if (worker.phase !== "ready" || worker.readyAtMs === null) return Number.POSITIVE_INFINITY;
  const ends = worker.tired ? Number.POSITIVE_INFINITY : worker.readyAtMs + worker.lifetimeMs;
  return worker.warm ? ends : Math.min(ends, worker.readyAtMs + warmupLimitMs);
}

function servedMs(worker: WorkerState, nowMs: number): number {
  return nowMs - (worker.readyAtMs ?? nowMs);
}

function isWarm(
  wanted: Generation,
  worker: WorkerState,
  seen: WorkerScores | undefined,
  nowMs: number,
): boolean {
  return (seen?.requests ?? 0) >= wanted.warmupRequests || servedMs(worker, nowMs) >= warmupLimitMs;
}

function whyTired(
  wanted: Generation,
  worker: WorkerState,
  seen: WorkerScores | undefined,
  nowMs: number,
): string | null {
  const served = servedMs(worker, nowMs);
  if (served >= worker.lifetimeMs) return "has served for its max_lifetime";
  const bytes = seen?.memoryBytes ?? 0;
  if (bytes <= wanted.maxMemoryBytes || served < memoryGraceMs) return null;
  return `uses ${bytes} bytes of memory, more than max_memory`;
}

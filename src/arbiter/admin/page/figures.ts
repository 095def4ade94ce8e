/** What the page shows of a server: its workers now, and what they have done since looks before. Pure. */
import { describeLast } from "../../../ipc/describe-doing.ts";
import { durationBounds } from "../../../ipc/scoreboard-columns.ts";
import type { Phase } from "../../decide/state.ts";
import { describeProgress, type Status, type WorkerStatus } from "../../decide/status.ts";
import type { Happening } from "../history.ts";
import type { Snapshot } from "../snapshot.ts";

/** One look at the server. */
export interface Look {
  /** By performance.now(). */
  readonly atMs: number;
  readonly status: Pick<Status, "totals" | "workers">;
}

/** Null is what isn't known: a rate at the first look, a duration when no request has ended, what the system doesn't say. */
export interface Pace {
  /** Requests that have ended, in a second. */
  readonly rate: number | null;
  /** So long did half of the requests take, and 99 of 100, in seconds. */
  readonly p50: number | null;
  readonly p99: number | null;
}

export interface WorkerFigures extends Pace {
  readonly slot: number;
  readonly pid: number;
  readonly age: number;
  readonly generation: number;
  readonly phase: Phase;
  readonly tired: boolean;
  readonly servingMs: number | null;
  readonly inFlight: number;
  readonly memoryBytes: number | null;
  readonly loopDelayMs: number;
  /** The newest request in words; null before the first. */
  readonly newest: string | null;
}

export interface PageFigures {
  /** When they were taken, in milliseconds since 1970. */
  readonly at: number;
  readonly version: string;
  /** In one line, as systemd is told. */
  readonly line: string;
  readonly upMs: number;
  readonly generation: number;
  readonly target: number;
  readonly ready: number;
  readonly backlog: number;
  readonly masterMemoryBytes: number | null;
  readonly all: Pace & {
    readonly inFlight: number;
    readonly memoryBytes: number;
    /** Of answers 5xx and clients that left before there was one, in a second. */
    readonly failures: number | null;
  };
  readonly workers: readonly WorkerFigures[];
  /** What has happened, the newest last. */
  readonly history: readonly Happening[];
  /** Commands are taken from whoever shows the token. */
  readonly steered: boolean;
}

/** What a look is compared with: rates with the last one before it, durations with one of some seconds ago. */
export interface Earlier {
  readonly last: Look | null;
  readonly oldest: Look | null;
}

type Facts = Pick<PageFigures, "at" | "version" | "history" | "steered">;

/** @param look is of the snapshot's status */
export function figuresOf(
  { status, system }: Snapshot,
  look: Look,
  earlier: Earlier,
  facts: Facts,
): PageFigures {
  const { totals, workers } = status;
  const seconds = secondsSince(earlier.last, look);
  const before = earlier.last?.status.totals;
  const sum = (read: (worker: WorkerStatus) => number | null | undefined) =>
    workers.reduce((all, worker) => all + (read(worker) ?? 0), 0);
  return {
    ...facts,
    line: describeProgress(status),
    upMs: status.upMs,
    generation: status.generation,
    target: status.target,
    ready: status.ready,
    backlog: system.backlog,
    masterMemoryBytes: system.masterMemoryBytes,
    all: {
      rate: rate(ended(totals.answers), before && ended(before.answers), seconds),
      failures: rate(failed(totals.answers), before && failed(before.answers), seconds),
      ...quantiles(totals.durations, earlier.oldest?.status.totals.durations ?? null),
      inFlight: sum(({ scores }) => scores?.inFlight),
      memoryBytes: sum(({ memoryBytes }) => memoryBytes),
    },
    workers: [...workers]
      .sort((one, other) => one.slot - other.slot || one.age - other.age)
      .map((worker) => workerFigures(worker, earlier, seconds)),
  };
}

function workerFigures(
  worker: WorkerStatus,
  { last, oldest }: Earlier,
  seconds: number | null,
): WorkerFigures {
  const { slot, pid, age, generation, phase, tired, servingMs, memoryBytes, scores } = worker;
  const before = scoresIn(last, age);
  // Of one that is new since then, everything counts.
  const ofOldest = oldest === null ? null : (scoresIn(oldest, age)?.durations ?? []);
  return {
    slot,
    pid,
    age,
    generation,
    phase,
    tired,
    servingMs,
    inFlight: scores?.inFlight ?? 0,
    memoryBytes,
    loopDelayMs: scores?.loopDelayMs ?? 0,
    newest: worker.doing && describeLast(worker.doing),
    rate: scores && rate(ended(scores.answers), ended(before?.answers ?? []), seconds),
    ...quantiles(scores?.durations ?? [], ofOldest),
  };
}

function scoresIn(look: Look | null, age: number) {
  return look?.status.workers.find((worker) => worker.age === age)?.scores;
}

function secondsSince(last: Look | null, now: Look): number | null {
  return last === null || now.atMs <= last.atMs ? null : (now.atMs - last.atMs) / 1000;
}

function rate(count: number, before: number | undefined, seconds: number | null): number | null {
  return seconds === null ? null : Math.max(0, count - (before ?? 0)) / seconds;
}

function ended(answers: readonly number[]): number {
  return answers.reduce((sum, count) => sum + count, 0);
}

/** `none` and `5xx` of answerClasses. */
function failed(answers: readonly number[]): number {
  return (answers[0] ?? 0) + (answers[5] ?? 0);
}

/** @param before null: there was no look before, so nothing is known of what is going on now */
function quantiles(
  durations: readonly number[],
  before: readonly number[] | null,
): Pick<Pace, "p50" | "p99"> {
  if (before === null) return { p50: null, p99: null };
  const counts = Array.from({ length: durationBounds.length + 1 }, (_, at) =>
    Math.max(0, (durations[at] ?? 0) - (before[at] ?? 0)),
  );
  return { p50: quantile(counts, 0.5), p99: quantile(counts, 0.99) };
}

/**
 * The duration that a share of the requests hadn't exceeded, in seconds, as Prometheus's histogram_quantile() says it: as if
 * those of a bucket were spread evenly; what is above all bounds is taken for the last one. Null of no requests.
 * @param counts by durationBounds, each bucket alone, and one more
 */
export function quantile(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = share * total;
  let below = 0;
  for (const [at, upper] of durationBounds.entries()) {
    const count = counts[at] ?? 0;
    if (count > 0 && below + count >= rank) {
      const lower = durationBounds[at - 1] ?? 0;
      return lower + ((upper - lower) * (rank - below)) / count;
    }
    below += count;
  }
  return durationBounds.at(-1) ?? null;
}

/** What the server is like at one moment: one description, from which all that shows the server is made. Pure. */
import type { RowValues, Totals } from "../../ipc/scoreboard.ts";
import { type Progress, progressOf, type WorkerFacts } from "./progress.ts";
import type { Fleet, State, Stopping, WorkerState } from "./state.ts";

/** What the scoreboard and the system say at that moment. */
export interface Scores {
  /** By age; of a worker that has just gone there may be none. */
  readonly workers: ReadonlyMap<number, WorkerReading>;
  /** Of all workers of the master's life. */
  readonly totals: Totals;
}

export interface WorkerReading {
  readonly row: RowValues;
  /** The resident set; null where the system doesn't say. */
  readonly memoryBytes: number | null;
}

export interface Status extends Progress {
  /** How long the master runs. */
  readonly upMs: number;
  /** How the server stops; null while it doesn't. */
  readonly stopping: Stopping["how"] | null;
  /** How many workers were started over the master's life, and how many have ended, by why. */
  readonly spawned: number;
  readonly ended: Fleet["ended"];
  readonly totals: Totals;
  /** All that live, by age. */
  readonly workers: readonly WorkerStatus[];
}

export interface WorkerStatus extends WorkerFacts {
  /** It serves until its successor is ready. */
  readonly tired: boolean;
  /** How long its phase has lasted. */
  readonly phaseMs: number;
  /** How long ago it was ready; null before that. */
  readonly servingMs: number | null;
  /** How long ago the master has seen its last heartbeat; null before it is ready. */
  readonly beatMs: number | null;
  readonly memoryBytes: number | null;
  /** Its columns; null when it has just gone. */
  readonly scores: RowValues | null;
}

/** @param nowMs the master's milliseconds, which count from its start */
export function status(state: State, scores: Scores, nowMs: number): Status {
  const { fleet, mastership } = state;
  return {
    ...progressOf(state),
    upMs: nowMs,
    stopping: mastership.stopping?.how ?? null,
    spawned: fleet.lastAge,
    ended: fleet.ended,
    totals: scores.totals,
    workers: fleet.workers.map((worker) => describe(worker, scores.workers.get(worker.age), nowMs)),
  };
}

function describe(
  worker: WorkerState,
  reading: WorkerReading | undefined,
  nowMs: number,
): WorkerStatus {
  const { slot, pid, age, generation, phase, tired, phaseSinceMs, readyAtMs, beatAtMs } = worker;
  return {
    slot,
    pid,
    age,
    generation,
    phase,
    tired,
    phaseMs: nowMs - phaseSinceMs,
    servingMs: readyAtMs === null ? null : nowMs - readyAtMs,
    beatMs: readyAtMs === null ? null : nowMs - beatAtMs,
    memoryBytes: reading?.memoryBytes ?? null,
    scores: reading?.row ?? null,
  };
}

/** What the server is like at one moment: one description, from which all that shows the server is made. Pure. */
import type { Doing } from "../../ipc/describe-doing.ts";
import type { RowValues, Totals } from "../../ipc/scoreboard.ts";
import type { AutoscaleBounds } from "../../scaling/steps.ts";
import type { Fleet, Mastership, State, Stopping, WorkerState } from "./state.ts";

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
  /** Null: nobody wants to know. */
  readonly doing: Doing | null;
}

export interface Status extends Progress {
  /** How long the master runs. */
  readonly upMs: number;
  /** Why the newest load has failed; null if it hasn't. */
  readonly reloadFailure: string | null;
  /** How the server stops; null while it doesn't. */
  readonly stopping: Stopping["how"] | null;
  /** How many workers were started over the master's life, and how many have ended, by why. */
  readonly spawned: number;
  readonly ended: Fleet["ended"];
  /** Between which bounds the load says how many workers there are; null when it doesn't. */
  readonly autoscale: Pick<AutoscaleBounds, "min" | "max"> | null;
  readonly autoscaling: Fleet["autoscaling"];
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
  /** What it is busy with; null when it has just gone, as its columns, or if nobody wants to know. */
  readonly doing: Doing | null;
  readonly scores: RowValues | null;
}

/** @param nowMs the master's milliseconds, which count from its start */
export function status(state: State, scores: Scores, nowMs: number): Status {
  const { fleet, mastership } = state;
  const progress = progressOf(state);
  return {
    ...progress,
    reloadFailure: progress.reloadFailed ? fleet.failure : null,
    upMs: nowMs,
    stopping: mastership.stopping?.how ?? null,
    spawned: fleet.lastAge,
    ended: fleet.ended,
    autoscale: fleet.wanted.autoscale,
    autoscaling: fleet.autoscaling,
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
    doing: reading?.doing ?? null,
    scores: reading?.row ?? null,
  };
}

/** The facts of a state that the description is made from. */
export interface ProgressFacts {
  readonly fleet: FleetFacts;
  readonly mastership: MastershipFacts;
}

export type FleetFacts = Pick<
  Fleet,
  "target" | "wanted" | "fallback" | "proven" | "lastGeneration" | "loading"
> & { readonly workers: readonly WorkerFacts[] };

export type MastershipFacts = Pick<
  Mastership,
  "resting" | "draining" | "stopping" | "upgrade" | "understudy"
>;

export type WorkerFacts = Pick<WorkerState, "slot" | "pid" | "age" | "generation" | "phase">;

export interface Progress {
  readonly phase: "starting" | "ready" | "reloading" | "stopping";
  /** How far a reload has come; null when none is under way. */
  readonly reload: "reading the configuration" | "on trial" | "replacing workers" | null;
  /** Which load of the configuration is in use, and how many loads there were. */
  readonly generation: number;
  readonly loads: number;
  /** The newest load has failed: the workers run under an older one. */
  readonly reloadFailed: boolean;
  /** The number of workers wanted, of slots with a worker that serves, and of those with one of this generation. */
  readonly target: number;
  readonly ready: number;
  readonly current: number;
  /** WINCH: no workers until HUP or TTIN. */
  readonly resting: boolean;
  /** Clients are told to go elsewhere: by an operator, or as the server stops. */
  readonly draining: boolean;
  /** The new master of an upgrade that is beside this one; its pid. */
  readonly newMaster: number | null;
  /** This is the new master of an upgrade, and the old one still lives. */
  readonly understudy: boolean;
  /** All that live, by age. */
  readonly workers: readonly WorkerFacts[];
}

export function progressOf(state: ProgressFacts): Progress {
  const { target, wanted, workers, lastGeneration } = state.fleet;
  const { resting, draining, stopping, upgrade, understudy } = state.mastership;
  const ready = workers.filter((worker) => worker.phase === "ready");
  const current = ready.filter((worker) => worker.generation === wanted.number);
  const reload = reloadOf(state, current.length < ready.length);
  return {
    phase: phaseOf(state, reload),
    reload,
    generation: wanted.number,
    loads: lastGeneration,
    // The number of a load is taken when it begins. One that a stop has ended hasn't failed.
    reloadFailed: stopping === null && wanted.number < lastGeneration - Number(state.fleet.loading),
    target,
    ready: countSlots(ready, target),
    current: countSlots(current, target),
    resting,
    draining: draining || stopping !== null,
    newMaster: upgrade?.pid ?? null,
    understudy,
    workers: workers.map(({ slot, pid, age, generation, phase }) => {
      return { slot, pid, age, generation, phase };
    }),
  };
}

/** One line, as in `systemctl status`. */
export function describeProgress(progress: Progress): string {
  const { target, workers, newMaster } = progress;
  const serving = `${progress.ready} of ${target} workers ready`;
  switch (progress.phase) {
    case "stopping": {
      const left = `workers left: ${workers.length}`;
      if (newMaster === null) return `Stopping, ${left}`;
      return `New master (pid:${newMaster}) takes over, ${left}`;
    }
    case "starting":
      return `Starting: ${serving}`;
    case "reloading": {
      if (progress.reload === "reading the configuration") return `Reloading: ${progress.reload}`;
      if (progress.reload === "on trial")
        return "Reloading: trying a worker of the new configuration";
      return `Reloading: ${progress.current} of ${target} workers replaced`;
    }
    case "ready":
      return [
        progress.resting ? "Resting: no workers until HUP or TTIN" : serving,
        ...(progress.draining ? ["draining: clients are told to go elsewhere"] : []),
        ...(progress.reloadFailed ? ["the last reload failed, see the log"] : []),
        ...(newMaster === null ? [] : [`new master (pid:${newMaster}) beside this one`]),
      ].join("; ");
    default:
      return progress.phase satisfies never;
  }
}

function phaseOf(
  { fleet, mastership }: ProgressFacts,
  reload: Progress["reload"],
): Progress["phase"] {
  if (mastership.stopping !== null) return "stopping";
  if (!fleet.proven && fleet.fallback === null) return "starting";
  return reload === null ? "ready" : "reloading";
}

function reloadOf({ fleet, mastership }: ProgressFacts, mixed: boolean): Progress["reload"] {
  if (mastership.stopping !== null) return null;
  if (fleet.loading) return "reading the configuration";
  if (!fleet.proven) return fleet.fallback === null ? null : "on trial";
  return mixed ? "replacing workers" : null;
}

function countSlots(workers: readonly WorkerFacts[], target: number): number {
  return new Set(workers.map(({ slot }) => slot).filter((slot) => slot < target)).size;
}

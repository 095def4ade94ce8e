/** The data of the commands that show something: Gunicorn's fields, and more. Seconds have two decimals. Pure. */
import type { Doing } from "../../ipc/describe-doing.ts";
import type { ListenerFact } from "../../listen/listeners.ts";
import type { Status, WorkerStatus } from "../decide/status.ts";

export function showStats(pid: number, status: Status) {
  const { told, recycled, timeout, killed } = status.ended;
  return {
    uptime: seconds(status.upMs),
    pid,
    workers_current: status.workers.length,
    workers_target: status.target,
    workers_spawned: status.spawned,
    workers_killed: told + recycled + timeout + killed,
    reloads: status.loads - 1,
    dirty_arbiter_pid: null,
    state: status.phase,
    reload: status.reload,
    reload_failed: status.reloadFailed,
    reload_failure: status.reloadFailure,
    generation: status.generation,
    loads: status.loads,
    workers_ready: status.ready,
    workers_ended: status.ended,
    autoscale: showAutoscale(status),
    resting: status.resting,
    draining: status.draining,
    stopping: status.stopping,
    new_master: status.newMaster,
    understudy: status.understudy,
    requests: status.totals.requests,
    in_flight: sum(status, (scores) => scores.inFlight),
    connections: sum(status, (scores) => scores.connections),
    memory_bytes: status.workers.reduce((all, { memoryBytes }) => all + (memoryBytes ?? 0), 0),
  };
}

function showAutoscale({ autoscale, autoscaling }: Status) {
  if (autoscale === null) return null;
  const { min, max } = autoscale;
  return { min, max, ...autoscaling };
}

export function showWorkers({ workers }: Status) {
  return { workers: workers.map(showWorker), count: workers.length };
}

function showWorker(worker: WorkerStatus) {
  const { pid, age, slot, generation, phase, tired, scores } = worker;
  return {
    pid,
    age,
    booted: worker.servingMs !== null,
    aborted: phase === "aborting" || phase === "killed",
    last_heartbeat: secondsOrNull(worker.beatMs),
    slot,
    generation,
    state: phase,
    tired,
    serving: secondsOrNull(worker.servingMs),
    requests: scores?.requests ?? 0,
    in_flight: scores?.inFlight ?? 0,
    connections: scores?.connections ?? 0,
    memory_bytes: worker.memoryBytes,
  };
}

export function showRequests(status: Status) {
  return {
    workers: status.workers.map(({ slot, pid, phase, beatMs, doing, scores }) => ({
      slot,
      pid,
      state: phase,
      last_heartbeat: secondsOrNull(beatMs),
      activity: doing?.activity ?? null,
      waits_in: doing?.waitsIn ?? null,
      newest_request: doing === null ? null : showNewest(doing),
      in_flight: scores?.inFlight ?? 0,
      connections: scores?.connections ?? 0,
      requests: scores?.requests ?? 0,
    })),
    in_flight: sum(status, (scores) => scores.inFlight),
    requests: status.totals.requests,
  };
}

/** `age` is for how long it runs, or ago that it came. */
function showNewest({ newest, newestMs }: Doing) {
  if (newest === null) return null;
  const { method, path, open } = newest;
  return { method, path, age: seconds(newestMs), answered: !open };
}

export function showListeners(listeners: readonly ListenerFact[]) {
  return { listeners, count: listeners.length };
}

function sum({ workers }: Status, of: (scores: NonNullable<WorkerStatus["scores"]>) => number) {
  return workers.reduce((all, { scores }) => all + (scores === null ? 0 : of(scores)), 0);
}

function seconds(ms: number): number {
  return Math.round(ms / 10) / 100;
}

function secondsOrNull(ms: number | null): number | null {
  return ms === null ? null : seconds(ms);
}

/** A sample as the control socket has it, both ways: what the command `show load` is answered with. Pure. */
import type { LoadSample, WorkerLoad } from "./load-sample.ts";

/** Times are in seconds, as in the other answers; `at` counts from nowhere in particular. */
export function encodeLoad(sample: LoadSample) {
  const { atMs, wanted, workers, backlog, machine, bounds } = sample;
  return {
    at: seconds(atMs),
    workers_target: wanted,
    workers: workers.map((worker) => ({
      age: worker.age,
      slot: worker.slot,
      cpu_seconds: worker.cpuSeconds,
      loop_delay: seconds(worker.loopDelayMs),
      last_heartbeat: seconds(worker.beatMs),
      in_flight: worker.inFlight,
      connections: worker.connections,
      requests: worker.requests,
      memory_bytes: worker.memoryBytes,
    })),
    backlog,
    cpus: machine.cpus,
    cpu_idle_seconds: machine.idleSeconds,
    memory_free_bytes: machine.freeBytes,
    requests_at_a_time: bounds.turns,
    worker_connections: bounds.connections,
  };
}

/** @param data of an answer, whose version its reader has checked */
export function decodeLoad(data: Readonly<Record<string, unknown>>): LoadSample {
  const workers = Array.isArray(data["workers"]) ? data["workers"] : [];
  return {
    atMs: 1000 * number(data["at"]),
    wanted: number(data["workers_target"]),
    workers: workers.map(decodeWorker),
    backlog: number(data["backlog"]),
    machine: {
      cpus: number(data["cpus"]),
      idleSeconds: numberOrNull(data["cpu_idle_seconds"]),
      freeBytes: numberOrNull(data["memory_free_bytes"]),
    },
    bounds: {
      turns: numberOrNull(data["requests_at_a_time"]),
      connections: numberOrNull(data["worker_connections"]),
    },
  };
}

function decodeWorker(data: Readonly<Record<string, unknown>>): WorkerLoad {
  return {
    age: number(data["age"]),
    slot: number(data["slot"]),
    cpuSeconds: numberOrNull(data["cpu_seconds"]),
    loopDelayMs: 1000 * number(data["loop_delay"]),
    beatMs: 1000 * number(data["last_heartbeat"]),
    inFlight: number(data["in_flight"]),
    connections: number(data["connections"]),
    requests: number(data["requests"]),
    memoryBytes: numberOrNull(data["memory_bytes"]),
  };
}

/** To a tenth of a millisecond. */
function seconds(ms: number): number {
  return Math.round(ms * 10) / 10_000;
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function numberOrNull(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

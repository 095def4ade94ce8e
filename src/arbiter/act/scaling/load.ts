/** What the server has to do at this moment: from the scoreboard, and from what the system says of workers and machine. */
import { workerClassOf } from "../../../config/worker-classes.ts";
import type { Config } from "../../../config/types.ts";
import type { Listeners } from "../../../listen/listeners.ts";
import { availableCpuTime } from "../../../os/processes/cpus.ts";
import { freeMemoryBytes, idleCpuSeconds } from "../../../os/processes/machine.ts";
import { cpuSeconds } from "../../../os/processes.ts";
import type { LoadSample, WorkerBounds } from "../../../scaling/load-sample.ts";
import type { Status } from "../../decide/status.ts";

export function takeLoad(
  { target, upMs, workers }: Status,
  config: Config,
  listeners: Pick<Listeners, "waiting">,
): LoadSample {
  return {
    atMs: upMs,
    wanted: target,
    workers: workers.flatMap(({ age, slot, pid, phase, beatMs, memoryBytes, scores }) => {
      if (phase !== "ready" || scores === null) return [];
      const { loopDelayMs, inFlight, connections, requests } = scores;
      const used = { cpuSeconds: cpuSeconds(pid), memoryBytes, beatMs: beatMs ?? 0 };
      return [{ age, slot, ...used, loopDelayMs, inFlight, connections, requests }];
    }),
    backlog: listeners.waiting(),
    machine: {
      cpus: availableCpuTime(),
      idleSeconds: idleCpuSeconds(),
      freeBytes: freeMemoryBytes(),
    },
    bounds: boundsOf(config),
  };
}

/** What a worker takes at a time; of a class that isn't our own engine's, nobody knows. */
function boundsOf({ workerClass, threads, workerConnections }: Config): WorkerBounds {
  if (!workerClassOf(workerClass).countsConnections) return { turns: null, connections: null };
  const own = workerClass === "sync" ? 1 : null;
  return { turns: threads === 0 ? own : threads, connections: workerConnections };
}

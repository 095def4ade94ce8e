/** What hooks that run in a worker get to see of it, and of its master. */
import type { HookServer, HookWorker, ServerHooks } from "../../api/hooks.ts";
import type { Config } from "../../config/types.ts";
import type { BootMessage } from "../../ipc/messages.ts";
import type { ScoreboardRow } from "../../ipc/scoreboard.ts";
import type { Log } from "../../log/error-log.ts";

export type WorkerHooks = Partial<ServerHooks>;

interface Insides {
  readonly boot: BootMessage;
  readonly hooks: WorkerHooks;
  readonly scores: ScoreboardRow;
  readonly log: Log;
}

export function hookWorker({ boot, hooks, scores, log }: Insides): HookWorker {
  const { age, slot, generation } = boot;
  return {
    pid: process.pid,
    age,
    slot,
    generation,
    cfg: withHooks(boot, hooks),
    log,
    get nr() {
      return scores.requests;
    },
  };
}

export function hookServer({ boot, hooks, log }: Omit<Insides, "scores">): HookServer {
  const { masterName, numWorkers, listeners } = boot;
  return {
    pid: process.ppid,
    cfg: withHooks(boot, hooks),
    log,
    masterName,
    numWorkers,
    address: listeners.map((listener) => listener.url),
  };
}

function withHooks(boot: BootMessage, hooks: WorkerHooks): Config {
  return { ...boot.config, ...hooks } as Config;
}

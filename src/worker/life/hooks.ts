/**
 * The hooks that run in a worker, each called with what it gets to see of the worker and of its master. Those of the
 * boot may fail it; those of a quick stop can't keep the worker.
 */
import type { HookServer, HookWorker, ServerHooks } from "../../api/hooks.ts";
import type { Config } from "../../config/types.ts";
import type { BootMessage } from "../../ipc/messages.ts";
import type { ScoreboardRow } from "../../ipc/scoreboard.ts";
import { describeError, type Log } from "../../log/error-log.ts";
import type { RequestHooks } from "../exchange/handler.ts";

export class WorkerHooks {
  readonly #boot: BootMessage;
  readonly #scores: ScoreboardRow;
  readonly #log: Log;
  /** Empty until load() has found some. */
  #hooks: Partial<ServerHooks> = {};

  constructor(boot: BootMessage, scores: ScoreboardRow, log: Log) {
    this.#boot = boot;
    this.#scores = scores;
    this.#log = log;
  }

  /** Imports the configuration file, if it sets hooks; throws what the import throws. */
  async load(): Promise<void> {
    const { hooksFile } = this.#boot;
    if (hooksFile === null) return;
    // What a worker doesn't use isn't imported: it would cost time at the start, and every garbage collection.
    const { loadHooks } = await import("../../config/sources/read-file.ts");
    this.#hooks = await loadHooks(hooksFile);
  }

  /** Hooks that are called for each request. */
  get ofRequests(): RequestHooks {
    return this.#hooks;
  }

  get hasPostWorkerInit(): boolean {
    return this.#hooks.postWorkerInit !== undefined;
  }

  async postFork(worker: HookWorker): Promise<void> {
    await this.#hooks.postFork?.(this.#server(), worker);
  }

  async postWorkerInit(worker: HookWorker): Promise<void> {
    await this.#hooks.postWorkerInit?.(worker);
  }

  /** At a quick stop: whatever the hook does, the worker leaves. */
  stopped(name: "workerInt" | "workerAbort"): void {
    try {
      this.#hooks[name]?.(this.worker());
    } catch (error) {
      this.#log.warning(`Exception in ${name}:\n${describeError(error)}`);
    }
  }

  workerExit(): void {
    this.#hooks.workerExit?.(this.#server(), this.worker());
  }

  /** The worker, as hooks see it. */
  worker(): HookWorker {
    const { age, slot, generation } = this.#boot;
    const scores = this.#scores;
    return {
      pid: process.pid,
      age,
      slot,
      generation,
      cfg: this.#config(),
      log: this.#log,
      get nr() {
        return scores.requests;
      },
    };
  }

  /** The master, as hooks of a worker see it. */
  #server(): HookServer {
    const { masterName, numWorkers, listeners } = this.#boot;
    return {
      pid: process.ppid,
      cfg: this.#config(),
      log: this.#log,
      masterName,
      numWorkers,
      address: listeners.map((listener) => listener.url),
    };
  }

  #config(): Config {
    return { ...this.#boot.config, ...this.#hooks } as Config;
  }
}

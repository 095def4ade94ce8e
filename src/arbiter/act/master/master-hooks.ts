/** Runs the server hooks that belong to the master, each with Gunicorn's arguments. */
import type { HookServer, HookWorker } from "../../../api/hooks.ts";
import type { Config } from "../../../config/types.ts";
import type { Log } from "../../../log/error-log.ts";

export class MasterHooks {
  /** Gunicorn's name for this process in log lines and hooks; `Master.2` until an upgrade is through. */
  #masterName: "Master" | "Master.2";
  #config: Config;
  #log: Log;
  #numWorkers: number;
  #address: readonly string[] = [];
  /** The first nworkersChanged runs before the server has a pid, as in Gunicorn. */
  #pid: number | null = null;

  /** @param second this is the new master of an upgrade */
  constructor(config: Config, log: Log, second: boolean) {
    this.#masterName = second ? "Master.2" : "Master";
    this.#config = config;
    this.#log = log;
    this.#numWorkers = config.workers;
  }

  get masterName(): string {
    return this.#masterName;
  }

  /** The old master has gone: its name is free. */
  promote(): void {
    this.#masterName = "Master";
  }

  /** From a reload on, hooks come from the new configuration. */
  use(config: Config, log: Log): void {
    this.#config = config;
    this.#log = log;
  }

  onStarting(): void {
    this.#pid = process.pid;
    this.#config.onStarting?.(this.#server());
  }

  whenReady(address: readonly string[]): void {
    this.#address = address;
    this.#config.whenReady?.(this.#server());
  }

  preExec(): void {
    this.#config.preExec?.(this.#server());
  }

  onReload(): void {
    this.#config.onReload?.(this.#server());
  }

  nworkersChanged(value: number, old: number | null): void {
    this.#numWorkers = value;
    this.#config.nworkersChanged?.(this.#server(), value, old);
  }

  preFork(worker: Pick<HookWorker, "age" | "slot" | "generation" | "pid">, config: Config): void {
    this.#config.preFork?.(this.#server(), this.#worker(worker, config));
  }

  childExit(worker: Pick<HookWorker, "age" | "slot" | "generation" | "pid">, config: Config): void {
    this.#config.childExit?.(this.#server(), this.#worker(worker, config));
  }

  onExit(): void {
    this.#config.onExit?.(this.#server());
  }

  #server(): HookServer {
    return {
      pid: this.#pid,
      cfg: this.#config,
      log: this.#log,
      masterName: this.#masterName,
      numWorkers: this.#numWorkers,
      address: this.#address,
    };
  }

  #worker(
    worker: Pick<HookWorker, "age" | "slot" | "generation" | "pid">,
    cfg: Config,
  ): HookWorker {
    return { ...worker, cfg, log: this.#log, nr: 0 };
  }
}

/** The configuration in use, the earlier ones that workers still run under, and what a reload changes in the master itself. */
import { type Config, configData } from "../config/types.ts";
import type { Listeners } from "../listen/listeners.ts";
import { describeError, type Log } from "../log/error-log.ts";
import { type Logs, openLogs } from "../log/open-logs.ts";
import type { Statsd } from "../log/statsd.ts";
import { identityOf } from "../os/privileges.ts";
import { adopt, type Environment, withRawEnv } from "./environment.ts";
import type { Event } from "./events.ts";
import {
  type AppConfig,
  asGeneration,
  checkReloadable,
  checkWorkers,
  Generations,
  type Release,
  openOptions,
} from "./generations.ts";
import type { MasterHooks } from "./master-hooks.ts";

export interface ConfigurationParts extends Release {
  /** Loads the configuration anew for HUP; rejects with an error whose message says why not. */
  readonly reload: (generation: number) => Promise<AppConfig>;
  readonly listeners: Listeners;
  readonly hooks: MasterHooks;
  /** What else of the master goes by the configuration, and changes with it. */
  readonly onUse: (config: Config, log: Log) => void;
  /** The environment that the master was started with. */
  readonly env: Environment;
}

export class Configurations {
  readonly #parts: ConfigurationParts;
  readonly #generations = new Generations();
  #number = 1;
  #env: Environment;

  constructor(parts: ConfigurationParts) {
    this.#parts = parts;
    this.#env = withRawEnv(parts.env, parts.resolved.config.rawEnv);
    this.#generations.add(1, parts);
  }

  /** The log of the configuration in use. */
  get log(): Log {
    return this.#logs.log;
  }

  /** USR1. */
  reopenLogs(): void {
    this.#generations.reopenLogs();
  }

  /** Of the configuration in use. */
  get config(): Config {
    return this.get(this.#number).config;
  }

  get statsd(): Statsd | null {
    return this.#logs.statsd;
  }

  get #logs(): Logs {
    return this.#generations.get(this.#number).logs;
  }

  /** The environment that workers start with. */
  get env(): Environment {
    return this.#env;
  }

  get(number: number): AppConfig {
    return this.#generations.get(number).resolved;
  }

  /** Forgets all but the given ones and the one in use, and closes their logs. */
  keep(numbers: readonly number[]): void {
    this.#generations.keep(new Set([...numbers, this.#number]));
  }

  /** Reads the configuration again, opens what it binds to and puts it to use. Nothing has changed when that fails. */
  async load(number: number, current: number): Promise<Event> {
    try {
      return await this.#load(number, current);
    } catch (error) {
      const message = error instanceof Error ? error.message : describeError(error);
      return { type: "config failed", message };
    }
  }

  async #load(number: number, current: number): Promise<Event> {
    const { listeners, reload } = this.#parts;
    const before = this.get(current);
    const resolved = await reload(number);
    checkWorkers(resolved);
    checkReloadable(before, resolved);
    const logs = await openLogs(configData(resolved.config), identityOf(resolved.config));
    const urls = listeners.urls.join(",");
    try {
      await this.#bind(resolved);
    } catch (error) {
      logs.close();
      throw error;
    }
    const rebound = urls !== listeners.urls.join(",");
    this.#generations.add(number, { resolved, logs });
    this.#use(number);
    if (rebound) this.log.info(`Listening at: ${listeners.urls.join(",")}`);
    return { type: "config loaded", generation: asGeneration(number, resolved), rebound };
  }

  /** Goes back to a configuration whose addresses are all open still, so that nothing is awaited. */
  takeBack(number: number): void {
    void this.#bind(this.get(number));
    this.#use(number);
  }

  #bind(resolved: AppConfig): Promise<void> {
    const { listeners } = this.#parts;
    return listeners.open(listeners.addresses(resolved.config), listeners.slots, {
      ...openOptions(resolved),
      onRetry: (level, message) => this.log[level](message),
    });
  }

  /** Makes a configuration the master's own: its log level, environment, directory and hooks. */
  #use(number: number): void {
    const { config } = this.get(number);
    this.#number = number;
    this.#env = withRawEnv(this.#parts.env, config.rawEnv);
    adopt(this.#env);
    try {
      process.chdir(config.chdir);
    } catch (error) {
      // A reload is taken back, and the old release has gone.
      this.log.error(`chdir: ${(error as Error).message}`);
    }
    this.#logs.use();
    this.#parts.hooks.use(config, this.log);
    this.#parts.onUse(config, this.log);
  }
}

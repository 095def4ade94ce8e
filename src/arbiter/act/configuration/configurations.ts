/** The configurations that a reload prepares, uses, takes back or discards, and what they mean for the master itself. */
import { isA, messageOf } from "../../../api/thrown.ts";
import { configData } from "../../../config/data.ts";
import { type Places, withPlace } from "../../../config/sources/places.ts";
import type { Listeners } from "../../../listen/listeners.ts";
import { unlessAborted } from "../../../listen/unless-aborted.ts";
import { describeError, type LogLevel } from "../../../log/error-log.ts";
import { openLogs } from "../../../log/logs.ts";
import { hasCertificates } from "../../../net/secure-addresses.ts";
import { identityOf } from "../../../os/processes/privileges.ts";
import { stampOfAll } from "../../../reload/stamp.ts";
import { credentialFiles } from "../../../tls/credential-files.ts";
import type { Surroundings } from "../../../tls/read-credentials.ts";
import type { AdminSettings } from "../../admin/settings.ts";
import type { ControlHost, ControlRoom } from "../../control/control-room.ts";
import type { Event } from "../../decide/events.ts";
import { adopt, type Environment, setUmask, withRawEnv } from "../master/environment.ts";
import type { Identity } from "../master/identity.ts";
import type { MasterHooks } from "../master/master-hooks.ts";
import type { Origin } from "../master/upgrade.ts";
import {
  type AppConfig,
  asGeneration,
  asksForControl,
  checkReloadable,
  checkWorkers,
  openOptions,
} from "./generation.ts";
import { type ReadCredentials, type Release, Releases } from "./releases.ts";

export interface ConfigurationParts extends Release {
  /** Null until a configuration asks for it. */
  readonly control: ControlRoom | null;
  /** Loads the configuration anew for HUP; rejects with an error whose message says why not, or with the signal's reason. */
  readonly reload: (generation: number) => Promise<AppConfig>;
  readonly listeners: Listeners;
  readonly hooks: MasterHooks;
  readonly identity: Identity;
  /** The environment that the master was started with, but for what is the master's alone. */
  readonly env: Environment;
  readonly origin: Origin;
}

export class Configurations {
  readonly #parts: ConfigurationParts;
  readonly #releases = new Releases();
  /** Of the load under way, or of the one that is loaded and waits for use() or discard(). */
  #loading: AbortController | null = null;
  #prepared: { readonly number: number; readonly release: Release } | null = null;
  #control: ControlRoom | null;
  readonly #controlHost: ControlHost;

  constructor(parts: ConfigurationParts, controlHost: ControlHost) {
    this.#parts = parts;
    this.#releases.add(1, parts);
    this.#control = parts.control;
    this.#controlHost = controlHost;
  }

  /** Commands of the control socket are answered from now on. */
  attachControl(): void {
    this.#control?.attach(this.#controlHost);
  }

  /** The control socket takes the place of the old master's, which has gone. */
  promote(number: number): void {
    this.#control?.promote(this.get(number).resolved.config);
  }

  /** Removes the control socket. */
  close(): void {
    this.#control?.close();
  }

  /** See Releases. */
  setLogLevel(level: LogLevel): void {
    this.#releases.setLogLevel(level);
  }

  /** USR1. */
  reopenLogs(): void {
    this.#releases.reopenLogs();
  }

  /** See Releases. */
  renew(number: number, secure: ReadCredentials): boolean {
    return this.#releases.renew(number, secure);
  }

  get(number: number): Release {
    return this.#releases.get(number);
  }

  /** The environment of the workers of a configuration. */
  env(number: number): Environment {
    return withRawEnv(this.#parts.env, this.get(number).resolved.config.rawEnv);
  }

  /** Forgets all but the given ones, and closes their logs. */
  keep(numbers: readonly number[]): void {
    this.#releases.keep(new Set(numbers));
  }

  /**
   * Reads the configuration again, checks and preloads it, and opens its logs and sockets, without any effect on the master
   * or on the configuration in use. What is opened waits for use() or discard(). Never rejects.
   * @param current the configuration in use
   */
  async prepare(number: number, current: number): Promise<Event> {
    const loading = (this.#loading = new AbortController());
    let places: Places = new Map();
    try {
      const resolved = await unlessAborted(this.#parts.reload(number), loading.signal);
      places = resolved.places;
      const { release, rebound } = await this.#prepare(resolved, current, loading.signal);
      this.#prepared = { number, release };
      const generation = asGeneration(number, release.resolved);
      return { type: "config loaded", generation, rebound };
    } catch (error) {
      const message = isA(error, Error) ? messageOf(error) : describeError(error);
      return { type: "config failed", message: withPlace(message, places) };
    }
  }

  async #prepare(resolved: AppConfig, current: number, signal: AbortSignal) {
    const { listeners, env, origin } = this.#parts;
    const before = this.get(current);
    await preloadIfAsked(resolved, env, signal);
    checkWorkers(resolved);
    checkReloadable(before.resolved, resolved);
    const surroundings: Surroundings = {
      env: origin.env,
      warn: (message) => before.logs.log.warning(message),
    };
    const secure = await credentialsOf(resolved, surroundings);
    const admin = await adminOf(resolved, surroundings);
    await this.#prepareControl(resolved);
    const logs = await openLogs(configData(resolved.config), identityOf(resolved.config));
    try {
      const rebound = await listeners.prepare(
        listeners.addresses(resolved.config),
        listeners.slots,
        {
          ...openOptions(resolved),
          signal,
          onRetry: (message) => before.logs.log.error(message),
        },
      );
      return { release: { resolved, logs, secure, admin }, rebound };
    } catch (error) {
      logs.close();
      throw error;
    }
  }

  /** A reload may bring what the start hadn't. Throws ConfigError. */
  async #prepareControl(resolved: AppConfig): Promise<void> {
    if (!asksForControl(resolved)) return;
    if (this.#control === null) {
      const { ControlRoom } = await import("../../control/control-room.ts");
      this.#control = new ControlRoom({
        env: this.#parts.origin.env,
        second: this.#controlHost.second(),
      });
      this.#control.attach(this.#controlHost);
    }
    this.#control.check(resolved.config);
  }

  /** Makes a configuration the master's own: one that is prepared, or an earlier one that is taken back. */
  use(number: number): void {
    const { listeners, hooks, identity } = this.#parts;
    if (this.#prepared?.number === number) {
      this.#releases.add(number, this.#prepared.release);
      this.#prepared = null;
    }
    const { resolved, logs } = this.get(number);
    const { config } = resolved;
    const { log } = logs;
    const urls = listeners.urls.join(",");
    listeners.use(listeners.addresses(config), config.backlog);
    adopt(this.env(number));
    try {
      process.chdir(config.chdir);
    } catch (error) {
      // A reload is taken back, and the old release has gone.
      log.error(`chdir: ${(error as Error).message}`);
    }
    logs.use();
    hooks.use(config, log);
    setUmask(config);
    identity.use(config, log);
    this.#control?.use(config);
    if (urls !== listeners.urls.join(",")) log.info(`Listening at: ${listeners.urls.join(",")}`);
  }

  /** The server stops: ends the load under way, and closes what is prepared. */
  discard(): void {
    this.#loading?.abort();
    this.#parts.listeners.discard();
    this.#prepared?.release.logs.close();
    this.#prepared = null;
  }
}

/**
 * What TLS is to be served with; null without TLS, which then isn't imported.
 * @throws ConfigError
 */
export async function credentialsOf(
  { config }: AppConfig,
  surroundings: Surroundings,
): Promise<ReadCredentials | null> {
  if (!hasCertificates(config)) return null;
  const { readCredentials } = await import("../../../tls/read-credentials.ts");
  // Before they are read: what changes meanwhile is noticed.
  const stamp = stampOfAll(credentialFiles(config));
  const credentials = readCredentials(config, surroundings);
  return credentials === null ? null : { credentials, stamp };
}

/**
 * How the admin server is to be; null without one, which then isn't imported.
 * @throws ConfigError
 */
export async function adminOf(
  { config }: AppConfig,
  surroundings: Surroundings,
): Promise<AdminSettings | null> {
  if (config.adminBind === null) return null;
  const { readAdminSettings } = await import("../../admin/settings.ts");
  return readAdminSettings(config, surroundings);
}

/**
 * Makes sure that the app can be imported, if the configuration says so.
 * @throws ConfigError with what the app threw, or the reason of `stop`
 */
export async function preloadIfAsked(
  resolved: AppConfig,
  env: Environment,
  stop: AbortSignal,
): Promise<void> {
  const { preloadApp, rawEnv } = resolved.config;
  if (!preloadApp) return;
  const { preload } = await import("./preload.ts");
  await preload(resolved, withRawEnv(env, rawEnv), stop);
}

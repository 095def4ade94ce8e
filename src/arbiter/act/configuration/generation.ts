/** What a configuration means for the master: for its decisions, its sockets, and whether a reload may bring it. Pure. */
import { ConfigError } from "../../../api/errors.ts";
import type { Config } from "../../../config/types.ts";
import type { ResolvedConfig } from "../../../config/sources/resolve.ts";
import { workerClassOf } from "../../../config/worker-classes.ts";
import { maxWorkers } from "../../../ipc/scoreboard.ts";
import type { OpenOptions } from "../../../listen/listeners.ts";
import { identityOf } from "../../../os/processes/privileges.ts";
import type { AutoscaleBounds } from "../../../scaling/steps.ts";
import type { Generation } from "../../decide/state.ts";

/** A configuration that names its app: the cli has made sure. */
export type AppConfig = ResolvedConfig & { readonly app: string };

/** What the arbiter's decisions need of a configuration; seconds become milliseconds here. */
export function asGeneration(number: number, { config }: AppConfig): Generation {
  return {
    number,
    workers: config.workers,
    timeoutMs: config.timeout * 1000,
    gracefulTimeoutMs: config.gracefulTimeout * 1000,
    drainDelayMs: config.drainDelay * 1000,
    maxRestarting: orUnlimited(config.maxRestartingWorkers),
    warmupRequests: config.warmupRequests,
    maxMemoryBytes: orUnlimited(config.maxMemory),
    edition: 0,
    autoscale: boundsOf(config),
    takesCredentials: workerClassOf(config.workerClass).takesNewCredentials,
  };
}

function boundsOf({ autoscale }: Config): AutoscaleBounds | null {
  if (autoscale === null) return null;
  const { min, max, upAfter, downAfter } = autoscale;
  return { min, max, upAfterMs: upAfter * 1000, downAfterMs: downAfter * 1000 };
}

/** 0 stands for no bound. */
function orUnlimited(value: number): number {
  return value === 0 ? Number.POSITIVE_INFINITY : value;
}

/** max_lifetime plus a time drawn uniformly from 0 to its jitter; Infinity when it isn't set. */
export function drawLifetimeMs({ config }: AppConfig, random: () => number): number {
  const { maxLifetime, maxLifetimeJitter } = config;
  return maxLifetime === 0 ? orUnlimited(0) : (maxLifetime + random() * maxLifetimeJitter) * 1000;
}

/** Of a worker at a time; Infinity for a class that doesn't bound them, or doesn't say how many it has. */
export function mostConnections({ config }: AppConfig): number {
  const counted = workerClassOf(config.workerClass).countsConnections;
  return counted ? config.workerConnections : Number.POSITIVE_INFINITY;
}

/** How the listening sockets of a configuration are opened. */
export function openOptions({ config }: AppConfig): OpenOptions {
  const { sockets, freesAccepted } = workerClassOf(config.workerClass);
  const kind = sockets === "own" ? "reserved" : config.reusePort ? "slots" : "shared";
  return {
    backlog: config.backlog,
    kind,
    // Of another class nobody knows what it speaks.
    deferred: freesAccepted,
    umask: config.umask,
    owner: identityOf(config),
  };
}

/** Whether there is to be a control socket: what serves it isn't imported otherwise. */
export function asksForControl({ config }: AppConfig): boolean {
  return config.controlSocket !== null && !config.controlSocketDisable;
}

/** Settings that shape the listening sockets themselves: a running master can't change them. */
const fixedAtStart = ["workerClass", "reusePort"] as const;

/** Throws ConfigError for more workers than the scoreboard has rows for. */
export function checkWorkers({ config }: AppConfig): void {
  const most = Math.max(config.workers, config.autoscale?.max ?? 0);
  const name = most > config.workers ? "autoscale: max" : "workers";
  if (most > maxWorkers)
    throw new ConfigError(`${name}: must be at most ${maxWorkers}, got ${most}`);
}

/** Throws ConfigError when a reload would change what only a restart can. */
export function checkReloadable(before: AppConfig, after: AppConfig): void {
  for (const name of fixedAtStart) {
    const [was, is] = [before.config[name], after.config[name]];
    if (was !== is) {
      throw new ConfigError(
        `${name}: can't change from ${was} to ${is} by a reload, stop and start the server for it`,
      );
    }
  }
}

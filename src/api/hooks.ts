/**
 * What Gunicorn's server hooks receive. There is no fork here: a hook runs either in the master or
 * in a worker, and each process imports the configuration file for itself, so hooks share no memory.
 */
import type { ConfigData } from "../config/data.ts";
import type { TlsCredentials } from "../tls/credentials.ts";
import type { Log } from "./log.ts";

/** Gunicorn's `server` argument. In a worker it describes the master from outside. */
export interface HookServer {
  /** The master's process id; null in the first nworkersChanged, which runs before there is one. */
  readonly pid: number | null;
  readonly cfg: Config;
  readonly log: Log;
  /** `Master`, or `Master.2` for a master that an upgrade started. */
  readonly masterName: string;
  /** The number of workers that the master keeps alive. */
  readonly numWorkers: number;
  /** Listening addresses as they stand in the log, `http://127.0.0.1:8000`. */
  readonly address: readonly string[];
}

/** Gunicorn's `worker` argument. */
export interface HookWorker {
  /** The process id, or the text `[booting]` in preFork. */
  readonly pid: number | "[booting]";
  /** Birth order, counted from 1 over the master's life. */
  readonly age: number;
  /** The worker's place, from 0. */
  readonly slot: number;
  /** Which load of the configuration the worker was born under, from 1. */
  readonly generation: number;
  readonly cfg: Config;
  readonly log: Log;
  /** Requests handled so far; 0 when seen from the master. */
  readonly nr: number;
}

/** The request as preRequest and postRequest see it: cheap facts, nothing that reads the body. */
export interface HookRequest {
  readonly method: string;
  /** The request target as received. */
  readonly target: string;
  /** Path and query of the target. */
  readonly path: string;
  readonly query: string;
  /** The very Request that the app gets. */
  readonly request: Request;
}

/** The third argument of postRequest; Gunicorn's CGI-like environment has no meaning here. */
export type HookEnviron = Readonly<Record<string, string>>;

/**
 * The functions that a configuration file may set. A worker calls postFork, postWorkerInit, then preRequest and
 * postRequest for each request, workerInt or workerAbort if it is stopped quickly, and workerExit; the master calls the
 * others. The two that may return a promise are waited for, no other. docs/settings.md says of each when it is called.
 */
export interface ServerHooks {
  onStarting(server: HookServer): void;
  onReload(server: HookServer): void;
  whenReady(server: HookServer): void;
  preFork(server: HookServer, worker: HookWorker): void;
  postFork(server: HookServer, worker: HookWorker): void | Promise<void>;
  postWorkerInit(worker: HookWorker): void | Promise<void>;
  workerInt(worker: HookWorker): void;
  workerAbort(worker: HookWorker): void;
  preExec(server: HookServer): void;
  preRequest(worker: HookWorker, request: HookRequest): void;
  postRequest(
    worker: HookWorker,
    request: HookRequest,
    environ: HookEnviron,
    response: Response | null,
  ): void;
  childExit(server: HookServer, worker: HookWorker): void;
  workerExit(server: HookServer, worker: HookWorker): void;
  nworkersChanged(server: HookServer, newValue: number, oldValue: number | null): void;
  onExit(server: HookServer): void;
  sslContext(config: Config, defaultFactory: () => TlsCredentials): TlsCredentials;
}

/** Hooks of the task pool, which isn't there yet. */
export interface PoolHooks {
  onDirtyStarting(...args: unknown[]): void;
  dirtyPostFork(...args: unknown[]): void;
  dirtyWorkerInit(...args: unknown[]): void;
  dirtyWorkerExit(...args: unknown[]): void;
}

/** Every setting that holds a function. */
export interface AllHooks extends ServerHooks, PoolHooks {}

/** Every setting's value, deeply frozen. Hooks that aren't set are null. */
export type Config = ConfigData & { readonly [K in keyof AllHooks]: AllHooks[K] | null };

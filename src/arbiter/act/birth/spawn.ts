/** Starts one worker. It inherits the scoreboard as fd 3 and its slot's listening sockets from fd 4 on. */
import { workerHooks } from "../../../config/worker-hooks.ts";
import { configData } from "../../../config/data.ts";
import type { Config } from "../../../config/types.ts";
import { workerClassOf } from "../../../config/worker-classes.ts";
import {
  type AppMessage,
  type BootMessage,
  isAppMessage,
  isWorkerMessage,
  type MasterMessage,
  type WorkerMessage,
} from "../../../ipc/messages.ts";
import type { ListeningSocket } from "../../../api/serving.ts";
import type { TlsCredentials } from "../../../tls/credentials.ts";
import type { WorkerSignal } from "../../decide/events.ts";
import type { AppConfig } from "../configuration/generation.ts";
import type { EarlyWorker } from "./early-worker.ts";
import {
  startWorkerProcess,
  type WorkerLaunch,
  type WorkerListener,
  workerWords,
} from "./worker-process.ts";

const firstInheritedFd = 3;

export interface WorkerBirth {
  readonly age: number;
  readonly slot: number;
  readonly row: number;
  readonly generation: number;
  readonly numWorkers: number;
  readonly masterName: string;
  readonly resolved: AppConfig;
  readonly listeners: readonly ListeningSocket[];
  /** Of the secure ones among them. */
  readonly credentials: TlsCredentials | null;
  readonly scoreboardFd: number;
  /** Where what the app prints goes, for a program whose own standard output is something else; or the master's. */
  readonly stdout?: number;
  /** The environment of the worker, raw_env included. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface WorkerReports {
  message(message: WorkerMessage): void;
  /** What its app publishes to websockets, for other workers, and what it has counted itself. */
  app(message: AppMessage): void;
  exited(code: number | null, signal: string | null): void;
}

/**
 * Spawns and boots a worker; throws when the system can't start a process.
 * @param early taken if it is what would be started
 */
export function spawnWorker(
  birth: WorkerBirth,
  reports: WorkerReports,
  early: EarlyWorker | null = null,
): Bun.Subprocess {
  const { config } = birth.resolved;
  const launch: WorkerLaunch = {
    words: workerWords(workerClassOf(config.workerClass).code?.source ?? null),
    cwd: config.chdir,
    env: birth.env,
    stdout: birth.stdout ?? "inherit",
  };
  const descriptors = [birth.scoreboardFd, ...birth.listeners.map(({ fd }) => fd)];
  const listener: WorkerListener = {
    message(message) {
      if (isWorkerMessage(message)) reports.message(message);
      else if (isAppMessage(message)) reports.app(message);
    },
    exited: (code, signal) => reports.exited(code, signal),
  };
  // The hook is promised that there is no process yet.
  if (config.preFork === null) {
    const boot = (passedBy: number) => bootMessage(birth, passedBy);
    const taken = early?.take({ launch, descriptors, boot }, listener) ?? null;
    if (taken !== null) return taken;
  }
  const child = startWorkerProcess(launch, descriptors, listener);
  try {
    child.send(bootMessage(birth, null));
  } catch (error) {
    // Without its message it would wait for ever.
    child.kill("SIGKILL");
    throw error;
  }
  return child;
}

/** Signals a worker that may have gone already. */
export function signalWorker(pid: number, signal: WorkerSignal | "SIGUSR1"): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has gone already, and its exit is on the way as an event.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Says something to a worker that has booted; it may have gone already. */
export function sendToWorker(
  child: Pick<Bun.Subprocess, "send"> | undefined,
  message: MasterMessage,
): void {
  try {
    child?.send(message);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_IPC_CHANNEL_CLOSED") throw error;
  }
}

function bootMessage(birth: WorkerBirth, passedBy: number | null): BootMessage {
  const { resolved } = birth;
  return {
    type: "boot",
    slot: birth.slot,
    age: birth.age,
    generation: birth.generation,
    numWorkers: birth.numWorkers,
    masterName: birth.masterName,
    config: configData(resolved.config),
    app: resolved.app,
    hooksFile: setsWorkerHooks(resolved.config) ? resolved.configFile : null,
    listeners: birth.listeners.map((listener, index) => ({
      ...listener,
      fd: firstInheritedFd + 1 + index,
    })),
    tls: birth.credentials,
    passedBy,
    scoreboardFd: firstInheritedFd,
    row: birth.row,
  };
}

function setsWorkerHooks(config: Config): boolean {
  return workerHooks.some((name) => config[name] !== null);
}

/** USR2: a new master beside this one, on the same sockets, from whatever program, configuration and Bun are installed by now. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Listeners } from "../../../listen/listeners.ts";
import { describeError } from "../../../log/error-log.ts";
import { isRunning } from "../../../os/processes.ts";
import { typedWords } from "../../../os/processes/process-title.ts";
import type { Event } from "../../decide/events.ts";
import { type Environment, withoutServiceManager } from "./environment.ts";
import type { MasterHooks } from "./master-hooks.ts";
import type { ServiceManager } from "./service-manager.ts";
import type { CountsHandover, Succession } from "./succession.ts";

/** How the master was started. */
export interface Origin {
  /** The directory of the start, by the name that the shell had for it: a symbolic link may point elsewhere by now. */
  readonly directory: string;
  /** The environment of the start. */
  readonly env: Environment;
}

/**
 * The words that this process was started with, as they were typed: a path in them may be a link that has been changed. The
 * runtime is found anew: by its path, else by its name in PATH, else it is the one that runs now.
 */
export function commandAnew({ directory, env }: Origin): string[] {
  const [typed = "", ...rest] = typedWords();
  const path = typed.includes("/")
    ? resolve(directory, typed)
    : Bun.which(typed, { PATH: env["PATH"] ?? "" });
  return [path !== null && existsSync(path) ? path : process.execPath, ...rest];
}

/** Where standard error ends. */
const firstFd = 3;

export interface UpgradeParts {
  readonly hooks: Pick<MasterHooks, "preExec">;
  readonly listeners: Pick<Listeners, "handover">;
  readonly service: Pick<ServiceManager, "successorEnv"> | null;
  readonly origin: Origin;
  readonly succession: Succession;
}

/** With how many workers the new master begins, where the load says how many there are; else its configuration does. */
const autoscaledVariable = "GUNICORN_AUTOSCALED";

/**
 * Starts the new master. Answers what has come of it; `report` is told of its end.
 * @param workers that the load has asked for; null without autoscale
 */
export function upgrade(
  { hooks, listeners, service, origin, succession }: UpgradeParts,
  workers: number | null,
  report: (event: Event) => void,
): Event {
  if (process.pid === 1) return failed("the end of process 1 ends its container");
  try {
    hooks.preExec();
  } catch (error) {
    return failed(describeError(error));
  }
  let counted: CountsHandover | null = null;
  let remark: string | undefined;
  try {
    const handover = listeners.handover(process.pid);
    try {
      counted = succession.handOver();
    } catch (error) {
      remark = `The new master counts from 0: ${(error as Error).message}`;
    }
    const child = Bun.spawn(commandAnew(origin), {
      cwd: origin.directory,
      env: {
        ...withoutServiceManager(origin.env),
        ...service?.successorEnv(),
        // This master's own may be from an upgrade before.
        GUNICORN_TLS_FD: undefined,
        GUNICORN_COUNTS_FD: counted === null ? undefined : String(firstFd + handover.stdio.length),
        ...handover.env,
        [autoscaledVariable]: workers === null ? undefined : String(workers),
        GUNICORN_PID: String(process.pid),
      },
      stdio: [
        "ignore",
        "inherit",
        "inherit",
        ...handover.stdio,
        ...(counted === null ? [] : [counted.fd]),
      ],
      onExit({ signalCode }, code) {
        // bun-types allows a number; Bun gives the name.
        const signal = signalCode as string | null;
        report({ type: "upgrade ended", code: signal === null ? code : null, signal });
      },
    });
    return { type: "upgrade started", pid: child.pid, ...(remark === undefined ? {} : { remark }) };
  } catch (error) {
    // The system's refusal, which says all: no such program, no descriptor left.
    return failed((error as Error).message);
  } finally {
    counted?.close();
  }
}

function failed(message: string): Event {
  return { type: "upgrade failed", message };
}

/** What a new master is told by the old one through the environment. */
export interface Inheritance {
  readonly oldMaster: number;
  readonly fds: readonly number[];
  /** Those of them that the old master serves TLS on. */
  readonly secureFds: readonly number[];
  /** Of the memory with what it has counted; null: it hands none over. */
  readonly countsFd: number | null;
  /** How many workers the load had asked for; null without autoscale. */
  readonly workers: number | null;
}

/** Null unless `parent` has started this process by USR2. */
export function readInheritance(env: Environment, parent: number): Inheritance | null {
  const { GUNICORN_PID: pid, GUNICORN_FD: fds, GUNICORN_TLS_FD: secure = "" } = env;
  const { GUNICORN_COUNTS_FD: counts } = env;
  // Inherited by something else that the app has started: not meant for this process.
  if (pid === undefined || fds === undefined) return null;
  // The old master may have gone already, right after USR2: what it left is this one's alone.
  if (Number(pid) !== parent && isRunning(Number(pid))) return null;
  const [all, secureFds] = [fds, secure].map((list) => list.split(",").filter(Boolean).map(Number));
  const countsFd = counts === undefined ? null : Number(counts);
  const workers = env[autoscaledVariable];
  return {
    oldMaster: Number(pid),
    fds: all ?? [],
    secureFds: secureFds ?? [],
    countsFd,
    workers: workers === undefined ? null : Number(workers),
  };
}

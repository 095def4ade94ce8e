/** USR2: a new master beside this one, on the same sockets, from whatever program, configuration and Bun are installed by now. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Handover } from "../listen/handover.ts";
import { typedWords } from "../os/process-title.ts";
import type { Environment } from "./environment.ts";

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

/**
 * Starts the new master; throws when the system can't.
 * @param handover the listening sockets that the new one is to adopt
 */
export function startMaster(
  origin: Origin,
  handover: Handover,
  onEnd: (code: number | null, signal: string | null) => void,
): number {
  const child = Bun.spawn(commandAnew(origin), {
    cwd: origin.directory,
    env: { ...origin.env, ...handover.env, GUNICORN_PID: String(process.pid) },
    stdio: ["ignore", "inherit", "inherit", ...handover.stdio],
    onExit({ signalCode }, code) {
      // bun-types allows a number; Bun gives the name.
      onEnd(signalCode === null ? code : null, signalCode as string | null);
    },
  });
  return child.pid;
}

/** What a new master is told by the old one through the environment. */
export interface Inheritance {
  readonly oldMaster: number;
  readonly fds: readonly number[];
}

/** Null unless `parent` has started this process by USR2. */
export function readInheritance(env: Environment, parent: number): Inheritance | null {
  const { GUNICORN_PID: pid, GUNICORN_FD: fds } = env;
  // Inherited by something else that the app has started: not meant for this process.
  if (pid === undefined || fds === undefined || Number(pid) !== parent) return null;
  return { oldMaster: parent, fds: fds.split(",").filter(Boolean).map(Number) };
}

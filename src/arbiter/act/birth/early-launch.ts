/** Whether the first worker's process may be started before the configuration is known, and whether it was right. Pure. */
import { type Environment, withoutServiceManager } from "../master/environment.ts";
import type { WorkerLaunch } from "./worker-process.ts";

/** How this program was started. */
export interface ProgramStart {
  /** Behind the program's name. */
  readonly words: readonly string[];
  readonly env: Environment;
  /** Bun's own words; an executable has `--no-install` inside. */
  readonly execArgv: readonly string[];
  /** What bunfig.toml says, or nothing. */
  readonly bunfig: string;
}

/** With these there is no server, or its first worker is surely another one than was guessed. */
const flagsAgainst = {
  short: ["-h", "-v", "-D", "-e", "-k", "-m"],
  long: [
    "--help",
    "--version",
    "--check-config",
    "--print-config",
    "--request",
    "--request-body",
    "--request-header",
    "--daemon",
    "--env",
    "--worker-class",
    "--umask",
    "--chdir",
    "--capture-output",
  ],
} as const;

/** Words of the environment that hold flags as well. */
const commandVariable = "GUNICORN_CMD_ARGS";

/** Another master's sockets, a daemon, and secrets that are the master's alone; Bun's own, an inspector's port among them. */
const variablesAgainst = ["GUNICORN_", "LISTEN_", "BUN_OPTIONS", "BUN_INSPECT", "NODE_OPTIONS"];

/**
 * Whether it is worth a try. A wrong yes costs a process that nobody sees, a wrong no some milliseconds, but for what
 * code of the user's would see: Bun runs what it is told to preload in every process.
 */
export function mayStartEarly({ words, env, execArgv, bunfig }: ProgramStart): boolean {
  if (execArgv.some((word) => word !== "--no-install") || bunfig.includes("preload")) return false;
  // Not by patterns, which are compiled first: the worker waits for this (bench: start).
  const isAgainst = (name: string) =>
    name !== commandVariable && variablesAgainst.some((prefix) => name.startsWith(prefix));
  if (Object.keys(env).some(isAgainst)) return false;
  const more = env[commandVariable];
  const all = more === undefined ? words : [...words, ...more.split(/\s+/)];
  return !all.some((word, index) => speaksAgainst(word) && !saysGuess(word, all[index + 1]));
}

/** The worker class that is guessed, said in words. */
function saysGuess(word: string, next: string | undefined): boolean {
  if (word === "-k" || word === "--worker-class") return next === "async";
  return word === "-kasync" || word === "--worker-class=async";
}

function speaksAgainst(word: string): boolean {
  if (!word.startsWith("-")) return false;
  if (flagsAgainst.short.some((flag) => word.startsWith(flag))) return true;
  if (!word.startsWith("--")) return false;
  const [name = ""] = word.split("=", 1);
  return name.length > 2 && flagsAgainst.long.some((flag) => flag.startsWith(name));
}

/** The environment that the master gives its workers if nothing changes it. */
export function likelyEnvironment(env: Environment, software: string): Environment {
  const isNamed = (env["NODE_ENV"] ?? "").trim() !== "";
  return {
    ...withoutServiceManager(env),
    ...(isNamed ? {} : { NODE_ENV: "production" }),
    SERVER_SOFTWARE: software,
  };
}

/** Whether a process that was started as `given` is what one that is started as `wanted` would be. */
export function isSameLaunch(given: WorkerLaunch, wanted: WorkerLaunch): boolean {
  const words = wanted.words.length === given.words.length;
  return (
    words &&
    wanted.words.every((word, index) => word === given.words[index]) &&
    wanted.cwd === given.cwd &&
    wanted.stdout === given.stdout &&
    holds(given.env, wanted.env) &&
    holds(wanted.env, given.env)
  );
}

/** Whether all variables of the second are in the first. */
function holds(all: Environment, some: Environment): boolean {
  return Object.keys(some).every((name) => all[name] === some[name]);
}

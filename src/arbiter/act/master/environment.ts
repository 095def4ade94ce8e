/** What of the master's process its workers inherit by the configuration: the environment, with raw_env over it, and the umask. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../../../config/types.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const ofServiceManager: ReadonlySet<string> = new Set([
  "NOTIFY_SOCKET",
  "WATCHDOG_USEC",
  "WATCHDOG_PID",
]);

/** Whether somebody is to hear of the server, or of its successor. */
export function hasServiceManager(env: Environment): boolean {
  return [...ofServiceManager].some((name) => env[name] !== undefined);
}

/** The environment for workers, hooks and apps: the service manager is no business of theirs. */
export function withoutServiceManager(env: Environment): Environment {
  const rest: Record<string, string | undefined> = {};
  for (const name of Object.keys(env)) if (!ofServiceManager.has(name)) rest[name] = env[name];
  return rest;
}

/** `rawEnv` holds NAME=VALUE entries that the configuration has checked already. */
export function withRawEnv(base: Environment, rawEnv: readonly string[]): Environment {
  const entries = rawEnv.map((entry) => {
    const at = entry.indexOf("=");
    return [entry.slice(0, at), entry.slice(at + 1)] as const;
  });
  return { ...base, ...Object.fromEntries(entries) };
}

/** Makes this process's own environment equal to `wanted`, so that hooks in the master see raw_env. */
export function adopt(wanted: Environment): void {
  for (const name of Object.keys(process.env)) {
    if (wanted[name] === undefined) delete process.env[name];
  }
  for (const [name, value] of Object.entries(wanted)) {
    if (value !== undefined && process.env[name] !== value) process.env[name] = value;
  }
}

/**
 * What Bun has read before this program's first line, since nobody has set NODE_ENV: apps are told that it is
 * `production`, but have the variables of development.
 * @returns a sentence for the log, or null
 */
export function warnOfDevelopment(directory: string, env: Environment): string | null {
  const isSet = (env["NODE_ENV"] ?? "").trim() !== "";
  // The user's word: --env-file, --no-env-file.
  if (isSet || process.execArgv.some((word) => word.includes("env-file"))) return null;
  const names = [".env.development", ".env.development.local"];
  const name = names.find((each) => existsSync(join(directory, each)));
  if (name === undefined) return null;
  return `Bun has read ${name}, since NODE_ENV isn't set: set it to production where the server is started`;
}

/** The mask that the program was started with. */
const startUmask = process.umask();

/**
 * The mask of the server and its workers. 0, the default, is meant for unix sockets alone: of all
 * other files it would make such that anybody may write.
 */
export function setUmask({ umask, daemon }: Config): void {
  process.umask(umask !== 0 ? umask : daemon ? 0o022 : startUmask);
}

/**
 * Trials before anything changes: app or worker class are imported in a process of their own that ends at once, so that
 * a broken one never takes the place of a good one.
 */
import { ConfigError } from "../../../api/errors.ts";
import { configData } from "../../../config/data.ts";
import type { Config } from "../../../config/types.ts";
import { isPreloadResult, type PreloadMessage, type PreloadResult } from "../../../ipc/messages.ts";
import { ownFile, ownRuntime } from "../../../own-files.ts";
import { type Environment, withRawEnv } from "../master/environment.ts";
import type { AppConfig } from "./generation.ts";

/** An app that never ends its import would keep the server from starting, and from reloading. */
const preloadLimitMs = 60_000;

const preloadProgram = ownFile("worker/life/preload");

/**
 * Resolves if the app can be imported where and as who workers run.
 * @throws ConfigError with what the app threw, or the reason of `stop`, and then the app's process has been killed
 */
export async function preload(
  resolved: AppConfig,
  env: Environment,
  stop: AbortSignal,
): Promise<void> {
  const why = await tryApp(resolved, env, stop);
  stop.throwIfAborted();
  if (why === null) return;
  throw new ConfigError(`preload_app: while loading the application:\n\n${why}`);
}

/** Imports the app where and as who workers run. Answers why it can't be, or null. */
export async function tryApp(
  { config, app }: AppConfig,
  env: Environment,
  stop?: AbortSignal,
): Promise<string | null> {
  return attempt({ type: "preload", config: configData(config), app }, env, stop);
}

/**
 * Imports the worker class in the same way, which is the user's own: its code is none of the master's.
 * @param env without raw_env
 * @throws ConfigError when there is no such class
 */
export async function checkWorkerClass(config: Config, env: Environment): Promise<void> {
  const message = { type: "preload", config: configData(config), app: null } as const;
  const why = await attempt(message, withRawEnv(env, config.rawEnv));
  if (why === null) return;
  const place = `workerClass: '${config.workerClass}'`;
  throw new ConfigError(why.startsWith("workerClass: ") ? why : `${place}: ${why}`);
}

async function attempt(
  message: PreloadMessage,
  env: Environment,
  stop?: AbortSignal,
): Promise<string | null> {
  let result: PreloadResult | null = null;
  const child = Bun.spawn([...ownRuntime, preloadProgram], {
    cwd: message.config.chdir,
    env,
    stdio: ["ignore", "inherit", "inherit"],
    timeout: preloadLimitMs,
    killSignal: "SIGKILL",
    ...(stop === undefined ? {} : { signal: stop }),
    serialization: "advanced",
    ipc(message) {
      if (isPreloadResult(message)) result ??= message;
    },
  });
  child.send(message);
  await child.exited;
  if (result === null) {
    return `it ended the process with ${child.signalCode ?? `exit code ${child.exitCode}`}`;
  }
  return reasonOf(result);
}

function reasonOf(result: PreloadResult): string | null {
  return result.type === "preloaded" ? null : result.message;
}

/** preload_app: imports the app in a process of its own that ends at once, so that a broken app never takes the place of a good one. */
import { fileURLToPath } from "node:url";
import { ConfigError } from "../../api/errors.ts";
import { configData } from "../../config/data.ts";
import { isPreloadResult, type PreloadMessage, type PreloadResult } from "../../ipc/messages.ts";
import type { Environment } from "./environment.ts";
import type { AppConfig } from "./generation.ts";
import { runtimeFlags } from "./spawn.ts";

/** An app that never ends its import would keep the server from starting, and from reloading. */
const preloadLimitMs = 60_000;

const preloadProgram = fileURLToPath(new URL("../../worker/life/preload.ts", import.meta.url));

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
  let result: PreloadResult | null = null;
  const child = Bun.spawn([process.execPath, ...runtimeFlags, preloadProgram], {
    cwd: config.chdir,
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
  child.send({ type: "preload", config: configData(config), app } satisfies PreloadMessage);
  await child.exited;
  if (result === null) {
    return `it ended the process with ${child.signalCode ?? `exit code ${child.exitCode}`}`;
  }
  return reasonOf(result);
}

function reasonOf(result: PreloadResult): string | null {
  return result.type === "preloaded" ? null : result.message;
}

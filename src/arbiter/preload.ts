/** preload_app: imports the app in a process of its own that ends at once, so that a broken app never takes the place of a good one. */
import { fileURLToPath } from "node:url";
import { ConfigError } from "../config/errors.ts";
import { configData } from "../config/types.ts";
import { isPreloadResult, type PreloadMessage, type PreloadResult } from "../ipc/messages.ts";
import type { Environment } from "./environment.ts";
import type { AppConfig } from "./generations.ts";
import { runtimeFlags } from "./spawn.ts";

const preloadProgram = fileURLToPath(new URL("../worker/preload.ts", import.meta.url));

/**
 * Resolves if the app can be imported where and as who workers run.
 * @throws ConfigError with what the app threw
 */
export async function preload({ config, app }: AppConfig, env: Environment): Promise<void> {
  let result: PreloadResult | null = null;
  const child = Bun.spawn([process.execPath, ...runtimeFlags, preloadProgram], {
    cwd: config.chdir,
    env,
    stdio: ["ignore", "inherit", "inherit"],
    serialization: "advanced",
    ipc(message) {
      if (isPreloadResult(message)) result ??= message;
    },
  });
  child.send({ type: "preload", config: configData(config), app } satisfies PreloadMessage);
  await child.exited;
  refuse(result, `${child.signalCode ?? `exit code ${child.exitCode}`}`);
}

function refuse(result: PreloadResult | null, end: string): void {
  if (result?.type === "preloaded") return;
  const text = result === null ? `it ended the process with ${end}` : result.message;
  throw new ConfigError(`preload_app: while loading the application:\n\n${text}`);
}

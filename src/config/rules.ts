/** Rules between settings, checked when each value for itself is right. */
import { ConfigError } from "./errors.ts";
import type { Config, SettingKey } from "./types.ts";

/** What worker class serve can't honour, and why. */
const refusedByServe: Partial<Record<SettingKey, string>> = {
  limitRequestLine: "Bun.serve reads requests itself, with a limit of its own",
  limitRequestFields: "Bun.serve reads requests itself and doesn't count fields",
  limitRequestFieldSize: "Bun.serve reads requests itself, with a limit of its own",
  keepalive: "Bun.serve has one idle timer for keep-alive, uploads and responses together",
  backlog: "Bun.serve opens its own sockets and takes no backlog",
};

/**
 * @param given the places of the settings that a file or a command line sets, by setting
 * @throws ConfigError
 */
export function checkRules(config: Config, given: ReadonlyMap<SettingKey, string>): void {
  if (config.workerClass !== "serve") return;
  for (const [key, place] of given) {
    const why = refusedByServe[key];
    if (why !== undefined) {
      throw new ConfigError(`${place}: can't be set with worker class serve: ${why}`);
    }
  }
  const place = given.get("reusePort");
  if (place !== undefined && !config.reusePort) {
    const why = "each Bun.serve opens a socket of its own";
    throw new ConfigError(`${place}: can't be off with worker class serve: ${why}`);
  }
}

/** What the log says of a configuration that is about to be served. */
import { existsSync, readFileSync } from "node:fs";
import type { Config } from "../config/types.ts";
import { workerClassOf } from "../config/worker-classes.ts";
import type { Log } from "../log/error-log.ts";
import type { AppConfig } from "./act/configuration/generation.ts";

export function sayWorkerClass({ workerClass }: Config, log: Log): void {
  log.info(`Using worker: ${workerClass}`);
  if (workerClassOf(workerClass).sockets !== "own" || migratesRequests()) return;
  log.warning(
    `Workers of class ${workerClass} open their own sockets: connections that wait when one leaves are reset, unless net.ipv4.tcp_migrate_req is 1`,
  );
}

/** Whether the kernel hands the queue of a socket that closes to the others of its reuseport group. */
function migratesRequests(): boolean {
  const file = "/proc/sys/net/ipv4/tcp_migrate_req";
  return existsSync(file) && readFileSync(file, "latin1").trim() !== "0";
}

/** For the level debug. */
export function describeConfig({ config }: AppConfig, log: Log): void {
  log.debug("Current configuration:");
  for (const [name, value] of Object.entries(config)) {
    log.debug(`  ${name}: ${typeof value === "function" ? "<function>" : JSON.stringify(value)}`);
  }
}

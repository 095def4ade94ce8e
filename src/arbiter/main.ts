/** The master process, in Gunicorn's order: settings, hooks, sockets, workers, loop, end. */
import { tmpdir } from "node:os";
import { existsSync, readFileSync } from "node:fs";
import { ConfigError } from "../config/errors.ts";
import { Scoreboard, maxWorkers } from "../ipc/scoreboard.ts";
import { parseAddress } from "../listen/address.ts";
import { Listeners } from "../listen/listeners.ts";
import { createLog, type Log } from "../log/error-log.ts";
import { version } from "../version.ts";
import { Arbiter } from "./arbiter.ts";
import { adopt, withRawEnv } from "./environment.ts";
import { type AppConfig, openOptions } from "./generations.ts";
import { masterSignals } from "./events.ts";
import { MasterHooks } from "./master-hooks.ts";

export interface MasterOptions {
  readonly config: AppConfig;
  /** Resolves the configuration again, for HUP; the number makes the runtime evaluate the file anew. */
  readonly reload: (generation: number) => Promise<AppConfig>;
}

/**
 * Runs the master until it is told to stop.
 * @returns the exit code
 * @throws ConfigError or SystemError for what keeps it from starting: exit code 1
 */
export async function runMaster({ config: resolved, reload }: MasterOptions): Promise<number> {
  const { config } = resolved;
  if (config.workers > maxWorkers) {
    throw new ConfigError(`workers: must be at most ${maxWorkers}, got ${config.workers}`);
  }
  process.env["SERVER_SOFTWARE"] = `gunicorn-ts/${version}`;
  const env = { ...process.env };
  adopt(withRawEnv(env, config.rawEnv));
  const log = createLog(config.loglevel);
  const hooks = new MasterHooks(config, log);
  hooks.nworkersChanged(config.workers, null);
  describeConfig(resolved, log);
  log.info(`Starting gunicorn-ts ${version}`);
  hooks.onStarting();

  const listeners = new Listeners();
  await listeners.open(config.bind.map(parseAddress), config.workers, {
    ...openOptions(resolved),
    onRetry: (level, message) => log[level](message),
  });
  const scoreboard = new Scoreboard(config.workerTmpDir ?? temporaryFolder());
  const arbiter = new Arbiter({ resolved, reload, listeners, scoreboard, hooks, log, env });
  for (const [signal, name] of Object.entries(masterSignals)) {
    process.on(signal as NodeJS.Signals, () => arbiter.handle({ type: "signal", name }));
  }
  log.debug("Arbiter booted");
  log.info(`Listening at: ${listeners.urls.join(",")} (${process.pid})`);
  log.info(`Using worker: ${config.workerClass}`);
  if (config.workerClass === "serve" && !migratesRequests()) {
    log.warning(
      "Workers of class serve open their own sockets: connections that wait when one leaves are reset, unless net.ipv4.tcp_migrate_req is 1",
    );
  }
  hooks.whenReady(listeners.urls);
  const exitCode = await arbiter.run();
  scoreboard.close();
  hooks.onExit();
  return exitCode;
}

/** Whether the kernel hands the queue of a socket that closes to the others of its reuseport group. */
function migratesRequests(): boolean {
  const file = "/proc/sys/net/ipv4/tcp_migrate_req";
  return existsSync(file) && readFileSync(file, "latin1").trim() !== "0";
}

/** A memory file system if there is one. */
function temporaryFolder(): string {
  return existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
}

function describeConfig({ config }: AppConfig, log: Log): void {
  log.debug("Current configuration:");
  for (const [name, value] of Object.entries(config)) {
    log.debug(`  ${name}: ${typeof value === "function" ? "<function>" : JSON.stringify(value)}`);
  }
}

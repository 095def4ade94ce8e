/** The master process, in Gunicorn's order: settings, hooks, pid file, sockets, workers, loop, end. */
import { isA } from "../api/thrown.ts";
import { existsSync, readFileSync } from "node:fs";
import { configData } from "../config/data.ts";
import type { Config } from "../config/types.ts";
import { workerClassOf } from "../config/worker-classes.ts";
import type { Scoreboard } from "../ipc/scoreboard.ts";
import { takeActivation } from "../listen/activation.ts";
import { Listeners } from "../listen/listeners.ts";
import { unlessAborted } from "../listen/unless-aborted.ts";
import type { Log } from "../log/error-log.ts";
import { closeLogsInUse, type Logs, openLogs } from "../log/logs.ts";
import { mayDebug } from "../log/plan-logs.ts";
import { identityOf } from "../os/privileges.ts";
import { hasTerminal } from "../os/terminal.ts";
import { exitCodes } from "../ipc/exit-codes.ts";
import { version } from "../version.ts";
import { Arbiter } from "./act/arbiter.ts";
import { adopt, type Environment, withRawEnv } from "./act/environment.ts";
import { type AppConfig, checkWorkers, openOptions } from "./act/generation.ts";
import { type EarlySignals, StartStopped } from "./act/early-signals.ts";
import { masterSignals } from "./decide/events.ts";
import { Identity } from "./act/identity.ts";
import { MasterHooks } from "./act/master-hooks.ts";
import { openScoreboard } from "./act/open-scoreboard.ts";
import { ServiceManager, withoutServiceManager } from "./act/service-manager.ts";
import { type Inheritance, type Origin, readInheritance } from "./act/upgrade.ts";

export interface MasterOptions {
  readonly config: AppConfig;
  /** Resolves the configuration again, for HUP; the number makes the runtime evaluate the file anew. */
  readonly reload: (generation: number) => Promise<AppConfig>;
  /** Where and with what environment the program was started, for USR2. */
  readonly origin: Origin;
  readonly signals: EarlySignals;
  /** Called once, when the first worker serves: somebody waits for the daemon. */
  readonly onUp: (() => void) | null;
}

/** What is there before the master opens anything. */
interface Foundation {
  readonly options: MasterOptions;
  readonly inheritance: Inheritance | null;
  readonly activation: ReturnType<typeof takeActivation>;
  readonly logs: Logs;
  readonly log: Log;
  readonly hooks: MasterHooks;
  readonly identity: Identity;
  /** The environment that the master was started with. */
  readonly env: Environment;
}

/** The mask that the program was started with. */
const startUmask = process.umask();

/** How often the scoreboard is read until the first worker serves. */
const upCheckMs = 20;

/**
 * Runs the master until it is told to stop.
 * @returns the exit code
 * @throws ConfigError, PidFileError or SystemError for what keeps it from starting: exit code 1; StartStopped for a signal that
 * comes before there is a log
 */
export async function runMaster(options: MasterOptions): Promise<number> {
  const { config } = options.config;
  checkWorkers(options.config);
  setUmask(config);
  process.env["SERVER_SOFTWARE"] = `gunicorn-ts/${version}`;
  const inheritance = readInheritance(process.env, process.ppid);
  delete process.env["GUNICORN_PID"];
  delete process.env["GUNICORN_FD"];
  const activation = takeActivation(process.env, process.pid, inheritance?.oldMaster);
  const env = withoutServiceManager({ ...process.env });
  adopt(withRawEnv(env, config.rawEnv));
  const { stop } = options.signals;
  const logs = await unlessAborted(openLogs(configData(config), identityOf(config)), stop);
  const { log } = logs;
  logs.use();
  const hooks = new MasterHooks(config, log);
  if (inheritance !== null) hooks.masterName = "Master.2";
  hooks.nworkersChanged(config.workers, null);
  if (mayDebug(config)) describeConfig(options.config, log);
  const identity = new Identity(config, inheritance !== null);
  let exitCode: number = exitCodes.ok;
  let starting = false;
  try {
    await preloadIfAsked(options.config, env, stop);
    log.info(`Starting gunicorn-ts ${version}`);
    identity.create();
    hooks.onStarting();
    starting = true;
    exitCode = await serve({
      options,
      inheritance,
      activation,
      logs,
      log,
      hooks,
      identity,
      env,
    });
  } catch (error) {
    if (!isA(error, StartStopped)) throw error;
    log.info(`Handling signal: ${masterSignals[error.signal]}`);
    log.info(`Shutting down: ${hooks.masterName}`);
  } finally {
    identity.remove();
  }
  if (starting) hooks.onExit();
  closeLogsInUse();
  return exitCode;
}

/** From the sockets to the end of the last worker. */
async function serve(foundation: Foundation): Promise<number> {
  const { options, inheritance, activation, log } = foundation;
  const { config: resolved } = options;
  const { config } = resolved;
  if (activation.warning !== null) log.warning(activation.warning);
  const listeners = new Listeners(activation.addresses);
  if (inheritance !== null) listeners.adopt(inheritance.fds);
  // What the old master has is served at once; more sockets get connections when their workers are ready.
  const slots = inheritance === null ? config.workers : 1;
  await listeners.open(listeners.addresses(config), slots, {
    ...openOptions(resolved),
    signal: options.signals.stop,
    onRetry: (message) => log.error(message),
  });
  try {
    return await arbitrate(foundation, listeners);
  } catch (error) {
    // A hook has thrown: no socket file stays behind.
    listeners.close(inheritance !== null);
    throw error;
  }
}

async function arbitrate(foundation: Foundation, listeners: Listeners): Promise<number> {
  const { options, inheritance, logs, log, hooks, identity, env } = foundation;
  const { config: resolved, origin, onUp } = options;
  const { config } = resolved;
  const scoreboard = openScoreboard(config.workerTmpDir);
  const arbiter = new Arbiter({
    resolved,
    reload: async (generation, signal) => {
      const next = await unlessAborted(options.reload(generation), signal);
      await preloadIfAsked(next, env, signal);
      return next;
    },
    listeners,
    scoreboard,
    hooks,
    logs,
    env,
    origin,
    service: new ServiceManager({
      env: origin.env,
      pid: process.pid,
      warn: (message) => arbiter.log.warning(message),
    }),
    oldMaster: inheritance?.oldMaster ?? null,
    onTerminal: !config.daemon && hasTerminal(),
    onPromotion: () => {
      hooks.masterName = "Master";
      identity.promote(arbiter.log);
    },
    onUse: (next, nextLog) => {
      setUmask(next);
      identity.use(next, nextLog);
    },
  });
  log.debug("Arbiter booted");
  log.info(`Listening at: ${listeners.urls.join(",")} (${process.pid})`);
  log.info(`Using worker: ${config.workerClass}`);
  if (workerClassOf(config.workerClass).sockets === "own" && !migratesRequests()) {
    log.warning(
      `Workers of class ${config.workerClass} open their own sockets: connections that wait when one leaves are reset, unless net.ipv4.tcp_migrate_req is 1`,
    );
  }
  hooks.whenReady(listeners.urls);
  identity.title();
  const watch = onUp === null ? undefined : watchForUp(scoreboard, config.workers, onUp);
  const ended = arbiter.run();
  options.signals.handTo((signal) =>
    arbiter.handle({ type: "signal", name: masterSignals[signal] }),
  );
  const exitCode = await ended;
  clearInterval(watch);
  scoreboard.close();
  return exitCode;
}

/**
 * The mask of the server and its workers. 0, the default, is meant for unix sockets alone: of all
 * other files it would make such that anybody may write.
 */
function setUmask({ umask, daemon }: Config): void {
  process.umask(umask !== 0 ? umask : daemon ? 0o022 : startUmask);
}

async function preloadIfAsked(
  resolved: AppConfig,
  env: Environment,
  stop: AbortSignal,
): Promise<void> {
  const { preloadApp, rawEnv } = resolved.config;
  if (!preloadApp) return;
  const { preload } = await import("./act/preload.ts");
  await preload(resolved, withRawEnv(env, rawEnv), stop);
}

/** A worker beats from the moment that it serves. The caller clears the timer. */
function watchForUp(scoreboard: Scoreboard, workers: number, onUp: () => void): Timer {
  // Each slot has two rows.
  const rows = Array.from({ length: workers * 2 }, (_, index) => scoreboard.row(index));
  const timer = setInterval(() => {
    if (!rows.some((row) => row.beat > 0)) return;
    clearInterval(timer);
    onUp();
  }, upCheckMs);
  return timer;
}

/** Whether the kernel hands the queue of a socket that closes to the others of its reuseport group. */
function migratesRequests(): boolean {
  const file = "/proc/sys/net/ipv4/tcp_migrate_req";
  return existsSync(file) && readFileSync(file, "latin1").trim() !== "0";
}

function describeConfig({ config }: AppConfig, log: Log): void {
  log.debug("Current configuration:");
  for (const [name, value] of Object.entries(config)) {
    log.debug(`  ${name}: ${typeof value === "function" ? "<function>" : JSON.stringify(value)}`);
  }
}

/** The master process, in Gunicorn's order: settings, hooks, pid file, sockets, workers, loop, end. */
import { isA } from "../api/thrown.ts";
import { configData } from "../config/data.ts";
import type { Scoreboard } from "../ipc/scoreboard.ts";
import { type Activation, takeActivation } from "../listen/activation.ts";
import { Listeners } from "../listen/listeners.ts";
import { unlessAborted } from "../listen/unless-aborted.ts";
import type { Log } from "../log/error-log.ts";
import { closeLogsInUse, openLogs } from "../log/logs.ts";
import { mayDebug } from "../log/plan-logs.ts";
import { identityOf } from "../os/processes/privileges.ts";
import { hasTerminal } from "../os/processes/terminal.ts";
import { exitCodes } from "../ipc/exit-codes.ts";
import { version } from "../version.ts";
import { Arbiter, type ArbiterParts } from "./act/arbiter.ts";
import type { EarlyWorker } from "./act/birth/early-worker.ts";
import { adminOf, credentialsOf, preloadIfAsked } from "./act/configuration/configurations.ts";
import {
  adopt,
  type Environment,
  hasServiceManager,
  setUmask,
  warnOfDevelopment,
  withoutServiceManager,
  withRawEnv,
} from "./act/master/environment.ts";
import { warnOfPython } from "./act/master/python-file.ts";
import {
  type AppConfig,
  asksForControl,
  checkWorkers,
  openOptions,
} from "./act/configuration/generation.ts";
import { describeConfig, sayWorkerClass } from "./first-lines.ts";
import type { ControlRoom } from "./control/control-room.ts";
import { type EarlySignals, StartStopped } from "./act/master/early-signals.ts";
import { masterSignals } from "./decide/master-signals.ts";
import { Identity } from "./act/master/identity.ts";
import { MasterHooks } from "./act/master/master-hooks.ts";
import { openMemory, openScoreboard } from "./act/open-scoreboard.ts";
import { logStrayErrors } from "./act/master/stray-errors.ts";
import type { ServiceManager } from "./act/master/service-manager.ts";
import { Succession } from "./act/master/succession.ts";
import { type Inheritance, type Origin, readInheritance } from "./act/master/upgrade.ts";

export interface MasterOptions {
  readonly config: AppConfig;
  /** Resolves the configuration again, for HUP; the number makes the runtime evaluate the file anew. */
  readonly reload: (generation: number) => Promise<AppConfig>;
  /** Where and with what environment the program was started, for USR2. */
  readonly origin: Origin;
  readonly signals: EarlySignals;
  /** The caller ends it, unless it is taken. */
  readonly early: EarlyWorker | null;
  /** Called once, when the first worker serves: somebody waits for the daemon. */
  readonly onUp: (() => void) | null;
}

/** How often the scoreboard is read until the first worker serves. */
const upCheckMs = 20;

/**
 * Runs the master until it is told to stop.
 * @returns the exit code
 * @throws ConfigError, PidFileError or SystemError for what keeps it from starting: exit code 1; StartStopped for a
 * signal that comes before there is a log
 */
export async function runMaster(options: MasterOptions): Promise<number> {
  const { config: resolved, origin, signals } = options;
  const { config } = resolved;
  checkWorkers(resolved);
  const credentials = await readCredentials(options);
  setUmask(config);
  const surroundings = takeOver();
  const { env, inheritance } = surroundings;
  const second = inheritance !== null;
  adopt(withRawEnv(env, config.rawEnv));
  const opening = openLogs(configData(config), identityOf(config));
  const logs = await unlessAborted(opening, signals.stop);
  const { log } = logs;
  logs.use();
  const hooks = new MasterHooks(config, log, second);
  hooks.nworkersChanged(config.workers, null);
  if (mayDebug(config)) describeConfig(resolved, log);
  const identity = new Identity(config, second);
  let exitCode: number = exitCodes.ok;
  let starting = false;
  try {
    await preloadIfAsked(resolved, env, signals.stop);
    log.info(`Starting gunicorn-ts ${version}`);
    identity.create();
    hooks.onStarting();
    starting = true;
    const found = [
      surroundings.activation.warning,
      ...credentials.warnings,
      warnOfPython(origin.directory, resolved.configFile),
      warnOfDevelopment(origin.directory, origin.env),
    ];
    for (const each of found) if (each !== null) log.warning(each);
    exitCode = await listenAndServe({ options, surroundings, credentials, logs, hooks, identity });
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

/** What is ready before the first socket. */
interface Begun extends Pick<ArbiterParts, "logs" | "hooks" | "identity"> {
  readonly options: MasterOptions;
  readonly surroundings: Surroundings;
  readonly credentials: Credentials;
}

/**
 * From the first socket to the last.
 * @returns the exit code
 */
async function listenAndServe(begun: Begun): Promise<number> {
  const { options, surroundings, credentials, logs, hooks, identity } = begun;
  const { config: resolved, reload, origin, signals, early, onUp } = options;
  const { config } = resolved;
  const { env, inheritance } = surroundings;
  const second = inheritance !== null;
  const listeners = await openListeners(resolved, surroundings, logs.log, signals.stop);
  let control: ControlRoom | null = null;
  try {
    control = await openControl(resolved, origin.env, second);
    const parts: ArbiterParts = {
      resolved,
      reload,
      logs,
      secure: credentials.secure,
      admin: credentials.admin,
      hooks,
      identity,
      listeners,
      scoreboard: openScoreboard(config.workerTmpDir),
      env,
      origin,
      succession: new Succession(
        (bytes) => openMemory(config.workerTmpDir, bytes, "of counters"),
        inheritance?.countsFd ?? null,
      ),
      oldMaster: inheritance?.oldMaster ?? null,
      autoscaled: inheritance?.workers ?? null,
      onTerminal: !config.daemon && hasTerminal(),
      early,
      control,
      Service: await importService(origin.env),
    };
    return await serve(parts, signals, onUp);
  } catch (error) {
    // A hook has thrown: no socket file stays behind.
    listeners.close(second);
    throw error;
  } finally {
    control?.close();
  }
}

/** What TLS is served with, and what is to be said of it as soon as there is a log. */
interface Credentials extends Pick<ArbiterParts, "secure" | "admin"> {
  readonly warnings: readonly string[];
}

async function readCredentials({ config, origin }: MasterOptions): Promise<Credentials> {
  const warnings: string[] = [];
  const surroundings = {
    env: origin.env,
    warn: (message: string) => void warnings.push(message),
  };
  const secure = await credentialsOf(config, surroundings);
  return { secure, admin: await adminOf(config, surroundings), warnings };
}

/** Opens the control socket, if there is to be one: its code isn't imported otherwise. Throws ConfigError. */
async function openControl(
  resolved: AppConfig,
  env: Environment,
  second: boolean,
): Promise<ControlRoom | null> {
  if (!asksForControl(resolved)) return null;
  const { ControlRoom } = await import("./control/control-room.ts");
  const control = new ControlRoom({ env, second });
  control.open(resolved.config);
  return control;
}

/** Null where no service manager wants to hear of the server: its code isn't imported then. */
async function importService(env: Environment): Promise<typeof ServiceManager | null> {
  if (!hasServiceManager(env)) return null;
  return (await import("./act/master/service-manager.ts")).ServiceManager;
}

/** What a process is started with. */
interface Surroundings {
  /** Of the workers: without what is meant for the master alone. */
  readonly env: Environment;
  /** Of an old master, by USR2. */
  readonly inheritance: Inheritance | null;
  /** Of systemd. */
  readonly activation: Activation;
}

/** Takes from the process's environment what is meant for the master, so that neither hooks nor workers see it. */
function takeOver(): Surroundings {
  process.env["SERVER_SOFTWARE"] = `gunicorn-ts/${version}`;
  const inheritance = readInheritance(process.env, process.ppid);
  delete process.env["GUNICORN_PID"];
  delete process.env["GUNICORN_FD"];
  delete process.env["GUNICORN_TLS_FD"];
  delete process.env["GUNICORN_COUNTS_FD"];
  delete process.env["GUNICORN_AUTOSCALED"];
  const activation = takeActivation(process.env, process.pid, inheritance?.oldMaster);
  return { env: withoutServiceManager({ ...process.env }), inheritance, activation };
}

/**
 * Opens what the configuration binds to. What an old master has is served at once; more sockets get connections when their
 * workers are ready.
 */
async function openListeners(
  resolved: AppConfig,
  { activation, inheritance }: Surroundings,
  log: Log,
  signal: AbortSignal,
): Promise<Listeners> {
  const { config } = resolved;
  const listeners = new Listeners(activation.addresses);
  if (inheritance !== null) listeners.adopt(inheritance.fds, inheritance.secureFds);
  const slots = inheritance === null ? config.workers : 1;
  const onRetry = (message: string) => log.error(message);
  const options = { ...openOptions(resolved), signal, onRetry };
  await listeners.open(listeners.addresses(config), slots, options);
  return listeners;
}

/**
 * From the first worker to the end of the last one.
 * @param signals are the arbiter's from now on
 * @param onUp see MasterOptions
 * @returns the exit code
 */
async function serve(
  parts: ArbiterParts,
  signals: EarlySignals,
  onUp: MasterOptions["onUp"],
): Promise<number> {
  const { resolved, listeners, hooks, identity, scoreboard } = parts;
  const { log } = parts.logs;
  const arbiter = new Arbiter(parts);
  logStrayErrors(() => arbiter.log);
  log.debug("Arbiter booted");
  log.info(`Listening at: ${listeners.urls.join(",")} (${process.pid})`);
  sayWorkerClass(resolved.config, log);
  hooks.whenReady(listeners.urls);
  identity.title();
  const watch = onUp === null ? undefined : watchForUp(scoreboard, resolved.config.workers, onUp);
  const ended = arbiter.run();
  // The first worker was to be another one, or there is none.
  void parts.early?.discard();
  signals.handTo((signal) => arbiter.handle({ type: "signal", name: masterSignals[signal] }));
  const exitCode = await ended;
  clearInterval(watch);
  scoreboard.close();
  return exitCode;
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

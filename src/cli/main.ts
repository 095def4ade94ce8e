/** Words to an exit code: help, version, check, print, or the master's run. */
import { statSync } from "node:fs";
import { isA } from "../api/thrown.ts";
import type { EarlyWorker } from "../arbiter/act/birth/early-worker.ts";
import { type EarlySignals, StartStopped } from "../arbiter/act/master/early-signals.ts";
import { type Origin, readInheritance } from "../arbiter/act/master/upgrade.ts";
import { parseCommandLine } from "../config/sources/command-line.ts";
import { ConfigError, UsageError } from "../api/errors.ts";
import { adminTokenVariable } from "../config/admin-rules.ts";
import { passphraseVariable } from "../config/tls-rules.ts";
import { dataSettings } from "../config/data.ts";
import { type Places, withPlace } from "../config/sources/places.ts";
import { resolveConfig, type ResolvedConfig } from "../config/sources/resolve.ts";
import { findTaken } from "../config/sources/taken-app.ts";
import type { Config } from "../config/types.ts";
import { isOwnClass } from "../config/worker-classes.ts";
import { exitCodes } from "../ipc/exit-codes.ts";
import { ListenError } from "../listen/group.ts";
import { unlessAborted } from "../listen/unless-aborted.ts";
import { readLogSettings } from "../log/check.ts";
import { describeError } from "../log/error-log.ts";
import { availableCpus } from "../os/processes/cpus.ts";
import { reportUp, takeDaemonMark } from "../os/processes/daemon.ts";
import { SystemError } from "../os/libc.ts";
import { PidFileError } from "../os/processes/pid-file.ts";
import { identityOf, PrivilegesError } from "../os/processes/privileges.ts";
import { writeFully } from "../os/write-fully.ts";
import { builtApp } from "../own-files.ts";

/** By its name: a bundler writes what process.env.NODE_ENV is where it runs in place of that. */
const mode = "NODE_ENV" as string;

/** What the program has by the time that this is imported. */
export interface Early {
  readonly signals: EarlySignals;
  /** The caller ends it, unless the master takes it. */
  readonly early: EarlyWorker | null;
}

/** Runs the command with the words behind the program's name. Answers the exit code. */
export async function main(words: readonly string[], start: Early): Promise<number> {
  try {
    return await run(words, start);
  } catch (error) {
    return await report(error);
  }
}

/** What an operator can mend: one line, no stack. */
const expectedErrors: readonly (abstract new (...args: never[]) => Error)[] = [
  ConfigError,
  ListenError,
  PidFileError,
  PrivilegesError,
  SystemError,
];

async function report(error: unknown): Promise<number> {
  if (isA(error, UsageError)) {
    const { usageLine } = await import("./usage.ts");
    writeFully(2, `${usageLine}\ngunicorn-ts: error: ${error.message}\n`);
    return exitCodes.usage;
  }
  if (isA(error, StartStopped)) {
    writeFully(2, `${error.message}\n`);
    return exitCodes.ok;
  }
  writeFully(2, `${isExpected(error) ? `Error: ${error.message}` : describeError(error)}\n`);
  return exitCodes.configuration;
}

function isExpected(error: unknown): error is Error {
  return expectedErrors.some((type) => isA(error, type));
}

/** @throws what `work` throws, with the place of the setting that it is about */
async function placed<T>(places: Places, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isExpected(error)) throw error;
    throw new ConfigError(withPlace(error.message, places), { cause: error });
  }
}

async function run(words: readonly string[], { signals, early }: Early): Promise<number> {
  const { asked, given, requests } = parseCommandLine(words);
  if (asked !== null) {
    const { describe } = await import("./usage.ts");
    writeFully(1, await describe(asked));
    return exitCodes.ok;
  }
  const isTrial = requests.length > 0;
  if (isTrial || given.has("checkConfig") || given.has("printConfig")) signals.endProcess();
  const isDaemon = takeDaemonMark();
  // It is read from the disk while the configuration is resolved. Where that fails, nobody awaits it.
  const arbiter = import("../arbiter/main.ts");
  arbiter.catch(() => {});
  const origin = {
    directory: startDirectory(process.env["PWD"], process.cwd()),
    env: { ...process.env },
  };
  // The master's alone: nothing of the app sees it, and no process of it.
  delete process.env[passphraseVariable];
  delete process.env[adminTokenVariable];
  // Before anything of the app is imported, and the configuration file may import the app.
  const { env } = process;
  if ((env[mode] ?? "").trim() === "") env[mode] = "production";
  const resolve = resolver(words, origin, isTrial ? await loadTrialConfig() : null);
  const resolved = await unlessAborted(resolve(1), signals.stop);
  // A file that has kept the event loop busy has kept signals waiting too.
  await Bun.sleep(0);
  signals.stop.throwIfAborted();
  return placed(resolved.places, async () => {
    const { config } = resolved;
    process.chdir(config.chdir);
    if (config.printConfig || config.checkConfig) {
      if (isTrial) throw new UsageError("--request and --check-config are two commands");
      signals.endProcess();
    }
    if (config.printConfig) {
      const { printConfig } = await import("./print-config.ts");
      writeFully(1, printConfig(config));
    }
    if (config.printConfig || config.checkConfig) {
      const { checkConfig } = await import("./check-config.ts");
      return checkConfig(resolved, origin);
    }
    if (isTrial) {
      const { ask } = await import("./ask.ts");
      return ask(resolved, requests, { directory: origin.directory, env: { ...process.env } });
    }
    if (config.daemon && !isDaemon && readInheritance(origin.env, process.ppid) === null) {
      const { daemonize } = await import("./daemonize.ts");
      return daemonize(config, origin, signals);
    }
    const onUp = isDaemon ? reportUp : null;
    const { runMaster } = await arbiter;
    return runMaster({ config: resolved, reload: resolve, origin, signals, early, onUp });
  });
}

// What a server doesn't need isn't imported by one (bench: start).

async function checkOwnClass(config: Config, env: Origin["env"]): Promise<void> {
  if (!isOwnClass(config.workerClass)) return;
  const { checkWorkerClass } = await import("../arbiter/act/configuration/preload.ts");
  await checkWorkerClass(config, {
    ...env,
    [passphraseVariable]: undefined,
    [adminTokenVariable]: undefined,
    [mode]: process.env[mode],
  });
}

async function loadTrialConfig(): Promise<Adjust> {
  const { trialConfig } = await import("./trial-config.ts");
  return trialConfig;
}

/** What a command needs otherwise than the configuration says. */
type Adjust = (config: Config) => Config;

type Resolved = ResolvedConfig & { readonly app: string };

/** Resolves again and again from what the program was started with, whatever raw_env and chdir change later. */
function resolver(
  argv: readonly string[],
  { directory: cwd, env }: Origin,
  adjust: Adjust | null,
): (generation: number) => Promise<Resolved> {
  const { platform } = process;
  return async (generation) => {
    const inputs = { argv, env, cwd, generation, platform, cpuCount: availableCpus, builtApp };
    const { app, ...given } = await resolveConfig(inputs);
    const resolved = adjust === null ? given : { ...given, config: adjust(given.config) };
    if (app === null) throw new ConfigError(noApp(argv));
    return placed(resolved.places, async () => {
      // At the start and at each reload, not in the first worker: an unknown name is found before anything changes.
      identityOf(resolved.config);
      const config = await readLogSettings(resolved.config, dataSettings.accessLogFormat.default);
      await checkOwnClass(config, env);
      return { ...resolved, config, app };
    });
  };
}

/** Begins in Gunicorn's words. */
function noApp(argv: readonly string[]): string {
  const taken = findTaken(parseCommandLine(argv).given);
  const where =
    taken === null
      ? "Name a file, or MODULE:EXPORT: gunicorn-ts server.ts"
      : `'${taken.value}' is taken for the value of ${taken.flag}`;
  return `No application module specified. ${where}`;
}

/** The shell's name for the current directory, symbolic links kept, if it is the same directory. */
function startDirectory(pwd: string | undefined, cwd: string): string {
  const named = pwd === undefined ? undefined : statSync(pwd, { throwIfNoEntry: false });
  const real = statSync(cwd);
  return pwd !== undefined && named?.ino === real.ino && named.dev === real.dev ? pwd : cwd;
}

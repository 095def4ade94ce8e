/** All that a process tells the operator, as the settings want it: error log, access log, metrics, slow requests. */
import { resolve } from "node:path";
import type { ConfigData } from "../config/types.ts";
import { captureOutput, leaveLauncherOutput, releaseOutput } from "../os/processes/output.ts";
import type { RequestObserver, RequestRecord } from "../api/request-record.ts";
import type { Statsd } from "../telemetry/statsd.ts";
import { AccessLog } from "./access/access-log.ts";
import { createLog, isSevere, type Log, type LogLevel } from "./error-log.ts";
import type { LogHandler } from "./sinks/log-handler.ts";
import { inheritedStream } from "./sinks/inherited-stream.ts";
import type { FileOwner } from "./sinks/log-file.ts";
import type { HandlerPlan, LoggerPlan, LogPlan } from "./plan.ts";
import { logconfigOf, planLogs } from "./plan-logs.ts";
import { type BuiltInLogs, provideLog } from "./custom/logger.ts";
import {
  type HandlerModules,
  importHandlers,
  type OpenContext,
  openHandler,
  opening,
  openLogFile,
} from "./sinks/open-handlers.ts";

export interface Logs {
  readonly log: Log;
  /** Observers of requests: access log, metrics, slow requests. */
  readonly observers: readonly RequestObserver[];
  /** The metrics; null without statsd_host. */
  readonly statsd: Statsd | null;
  /** Of the error log; null where a logger_class or a logging configuration decides. */
  readonly setLevel: ((level: LogLevel) => void) | null;
  /** Makes them the logs of the process: `log` of the package, and what capture_output sends where. */
  use(): void;
  /** USR1: files have been renamed, so their names are opened anew. A failure is told in the old ones. */
  reopen(): void;
  /** Writes what waits. */
  flush(): void;
  /** Flushes and closes, when another configuration's logs have taken over or the process ends. */
  close(): void;
}

/**
 * @param owner whom new files are to belong to
 * @throws ConfigError when a file can't be opened, or a format, class or logging configuration isn't one
 */
export async function openLogs(config: ConfigData, owner: FileOwner | null): Promise<Logs> {
  const plan = await planLogs(config);
  const format = await accessFormat(config, plan);
  const modules = await importHandlers(plan, config);
  const Custom = await loadCustom(config);
  const telemetry = config.statsdHost === null ? null : await importTelemetry();
  const slow = config.slowRequestLog === 0 ? null : await import("./slow-requests.ts");
  // From here on nothing is awaited, so that either all is open or nothing.
  let log: Log | null = null;
  const tell = (level: "warning" | "error", message: string) => log?.[level](message);
  const context: OpenContext = { config, owner, tell, modules, told: new Set() };
  const opened: { close(): void }[] = [];
  try {
    const capture = keep(opened, openCapture(config, owner, modules));
    const statsd = keep(
      opened,
      telemetry?.openStatsd(config, (message) => tell("warning", message)) ?? null,
    );
    const open = () => openBuiltIn(plan, context, format);
    const logger = Custom === null ? open() : Custom.makeLogger(Custom.Class, config, open);
    const counted = statsd === null ? null : telemetry?.countLogCalls(logger.log, statsd);
    log = counted ?? logger.log;
    const slowRequests = slow === null ? null : new slow.SlowRequests(config.slowRequestLog, log);
    return assemble(config, { logger, log, capture, statsd, slowRequests, tell });
  } catch (error) {
    for (const each of opened) each.close();
    throw error;
  }
}

/** The logs that the process uses now. */
let inUse: Logs | null = null;

/** Closes the logs at the end of the master, whose first ones a reload may have replaced. */
export function closeLogsInUse(): void {
  inUse?.close();
  inUse = null;
}

/** Where capture_output sends standard output and error. */
interface Capture {
  /** The descriptor; 1 and 2 mean where these went before anything was captured. */
  readonly fd: number;
  reopen(): void;
  close(): void;
}

interface Parts {
  readonly logger: BuiltInLogs;
  readonly log: Log;
  readonly capture: Capture | null;
  readonly statsd: Statsd | null;
  readonly slowRequests: RequestObserver | null;
  readonly tell: OpenContext["tell"];
}

function assemble(config: ConfigData, parts: Parts): Logs {
  const { logger, log, capture, statsd, slowRequests, tell } = parts;
  const flush = () => {
    logger.flush();
    statsd?.flush();
  };
  // An app may end the process by itself.
  process.on("exit", flush);
  const logs: Logs = {
    log,
    observers: [logger.access, statsd, slowRequests].filter((each) => each !== null),
    statsd,
    setLevel: logconfigOf(config) === null ? (logger.setLevel ?? null) : null,
    use() {
      inUse = logs;
      provideLog(log);
      if (capture !== null) captureOutput(capture.fd);
      else if (releaseOutput() && config.daemon) leaveLauncherOutput();
    },
    reopen() {
      tryReopen(logger, tell);
      if (capture === null) return;
      tryReopen(capture, tell);
      if (inUse === logs) captureOutput(capture.fd);
    },
    flush,
    close() {
      process.off("exit", flush);
      statsd?.close();
      logger.close();
      capture?.close();
    },
  };
  return logs;
}

function tryReopen(what: { reopen(): void }, tell: OpenContext["tell"]): void {
  try {
    what.reopen();
  } catch (error) {
    tell("error", `Can't reopen the log: ${(error as Error).message}`);
  }
}

/** Remembers what must be closed if the rest can't be opened. */
function keep<T extends { close(): void } | null>(opened: { close(): void }[], what: T): T {
  if (what !== null) opened.push(what);
  return what;
}

type AccessFormat = (request: RequestRecord) => string;

async function accessFormat(
  { logFormat, accessLogFormat }: ConfigData,
  { access }: LogPlan,
): Promise<AccessFormat | null> {
  if (access === null) return null;
  if (logFormat === "json") return (await import("./access/json.ts")).formatAccessJson;
  return (await import("./access/format.ts")).compileAccessFormat(accessLogFormat);
}

async function loadCustom(config: ConfigData) {
  if (config.loggerClass === null) return null;
  const { loadLoggerClass, makeLogger } = await import("./custom/custom-logger.ts");
  const Class = await loadLoggerClass(config);
  return Class === null ? null : { Class, makeLogger };
}

async function importTelemetry() {
  const [{ openStatsd }, { countLogCalls }] = await Promise.all([
    import("../telemetry/statsd.ts"),
    import("../telemetry/statsd-log.ts"),
  ]);
  return { openStatsd, countLogCalls };
}

/**
 * The file that capture_output sends standard output and error to, whatever a logging configuration does with the log
 * itself.
 */
function openCapture(
  { captureOutput, errorlog, chdir }: ConfigData,
  owner: FileOwner | null,
  { file }: HandlerModules,
): Capture | null {
  if (!captureOutput || errorlog === "-") return null;
  const path = resolve(chdir, errorlog);
  const stream = inheritedStream(path, "errorlog");
  if (stream !== null) return { fd: stream, reopen() {}, close() {} };
  return opening("errorlog", path, () =>
    openLogFile(file, path, { owner, keptBytes: 0, tellLoss }),
  );
}

/** Tells nothing: the server itself writes nothing to that file. */
function tellLoss(): string {
  return "";
}

/** The server's own logger. */
function openBuiltIn(
  { error, access }: LogPlan,
  context: OpenContext,
  format: AccessFormat | null,
): BuiltInLogs {
  const opened: LogHandler[] = [];
  try {
    const sinks = error.handlers.map((each) => {
      const handler = openHandler(each, "error", context);
      opened.push(handler);
      return { threshold: each.threshold, handler };
    });
    const accessHandlers = takers(access).map((each) => {
      const handler = openHandler(each, "access", context);
      opened.push(handler);
      return handler;
    });
    const hasAccess = format !== null && accessHandlers.length > 0;
    const log = createLog(error.threshold, sinks);
    return {
      log,
      setLevel: (level) => log.setLevel(level),
      access: hasAccess ? new AccessLog(format, accessHandlers) : null,
      reopen() {
        for (const handler of opened) tryReopen(handler, context.tell);
      },
      flush() {
        for (const handler of opened) handler.flush();
      },
      close() {
        // What the access log has lost is told in the error log.
        for (const handler of opened.toReversed()) handler.close();
      },
    };
  } catch (cause) {
    for (const handler of opened) handler.close();
    throw cause;
  }
}

/** Handlers that take lines of the access log, which have level info. */
function takers(access: LoggerPlan | null): readonly HandlerPlan[] {
  if (access === null || !isSevere("info", access.threshold)) return [];
  return access.handlers.filter(({ threshold }) => isSevere("info", threshold));
}

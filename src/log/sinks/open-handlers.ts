/** Opens what a plan names. */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { ConfigError } from "../../api/errors.ts";
import type { ConfigData } from "../../config/types.ts";
import { SystemError } from "../../os/libc.ts";
import type { openSyslog } from "../../telemetry/syslog.ts";
import { bareLine, type LineFormat } from "../lines/line-format.ts";
import type { Destination, HandlerPlan, LogPlan } from "../plan.ts";
import type { LogHandler } from "./log-handler.ts";
import { BatchHandler, DirectHandler, type LineSink } from "./line-sink.ts";
import type { FileOwner, LogFile, LogFileOptions } from "./log-file.ts";
import type { RotatingFile } from "./rotating-file.ts";
import { StandardStream } from "./standard-stream.ts";

/** What is kept while the disk is full. */
const keptBytes = { error: 1024 * 1024, access: 16 * 1024 * 1024 } as const;

export type LoggerKind = keyof typeof keptBytes;

export interface OpenContext {
  readonly config: ConfigData;
  readonly owner: FileOwner | null;
  /** Where trouble of a destination is told. */
  readonly tell: (level: "warning" | "error", message: string) => void;
  readonly modules: HandlerModules;
  /** What syslog has complained of: both logs have the same trouble with one host. */
  readonly told: Set<string>;
}

/** What most servers don't use isn't imported. */
export interface HandlerModules {
  readonly syslog: { readonly openSyslog: typeof openSyslog } | null;
  readonly file: { readonly LogFile: typeof LogFile } | null;
  readonly rotating: { readonly RotatingFile: typeof RotatingFile } | null;
}

export async function importHandlers(
  { error, access }: LogPlan,
  { captureOutput }: Pick<ConfigData, "captureOutput">,
): Promise<HandlerModules> {
  const types = [...error.handlers, ...(access?.handlers ?? [])].map(({ to }) => to.type);
  return {
    syslog: types.includes("syslog") ? await import("../../telemetry/syslog.ts") : null,
    file: captureOutput || types.includes("file") ? await import("./log-file.ts") : null,
    rotating: types.includes("rotating") ? await import("./rotating-file.ts") : null,
  };
}

/** @throws ConfigError when a file can't be opened */
export function openHandler(
  plan: HandlerPlan,
  logger: LoggerKind,
  context: OpenContext,
): LogHandler {
  const { to, format, place } = plan;
  if (to.type === "syslog") return openSyslogHandler(to, format, logger, context);
  const sink = openSink(to, format, place, logger, context);
  if (logger === "error") return new DirectHandler(sink, format);
  return new BatchHandler(sink, format === bareLine ? null : format);
}

function openSyslogHandler(
  { target }: Extract<Destination, { type: "syslog" }>,
  format: LineFormat,
  logger: LoggerKind,
  { config, modules, tell, told }: OpenContext,
): LogHandler {
  const warn = (message: string) => {
    if (told.has(message)) return;
    told.add(message);
    tell("warning", message);
  };
  const { openSyslog: open } = loaded(modules.syslog);
  if (target === null) return open(config, logger, warn);
  const handler = open({ ...config, ...target, bare: true }, logger, warn);
  return {
    // A packet has no line end.
    emit: (level, message) => handler.emit(level, format(level, message).slice(0, -1)),
    flush: () => handler.flush(),
    reopen: () => handler.reopen(),
    close: () => handler.close(),
  };
}

function openSink(
  to: Exclude<Destination, { type: "syslog" }>,
  format: LineFormat,
  place: string,
  logger: LoggerKind,
  { owner, tell, modules }: OpenContext,
): LineSink {
  const toldBy = (problem: string) => (bytes: number, name: string) => {
    if (logger === "error")
      return format("warning", `${bytes} bytes of this log are lost: ${problem}`);
    // Whoever reads an access log expects requests in it, and nothing else.
    tell("warning", `${bytes} bytes of ${name} are lost: ${problem}`);
    return "";
  };
  if (to.type === "stream") return new StandardStream(to.fd, toldBy("nobody took them"));
  const options: LogFileOptions = {
    owner,
    keptBytes: keptBytes[logger],
    tellLoss: toldBy("the disk was full"),
  };
  return opening(place, to.path, () => {
    if (to.type === "file") return openLogFile(modules.file, to.path, options);
    const { RotatingFile: Rotating } = loaded(modules.rotating);
    const { maxBytes, backupCount } = to;
    const onProblem = (message: string) => tell("warning", message);
    return new Rotating(to.path, { ...options, maxBytes, backupCount, onProblem });
  });
}

/** @param file the module, which importHandlers has imported for whoever needs it */
export function openLogFile(
  file: HandlerModules["file"],
  path: string,
  options: LogFileOptions,
): LogFile {
  return new (loaded(file).LogFile)(path, options);
}

/** Says in one line which file it is that can't be opened. */
export function opening<T>(place: string, path: string, open: () => T): T {
  try {
    return open();
  } catch (cause) {
    const isSystem = cause instanceof SystemError || (cause as NodeJS.ErrnoException).code;
    if (!isSystem) throw cause;
    const why = whyNot(cause as NodeJS.ErrnoException, path);
    throw new ConfigError(`${place}: '${path}' isn't writable: ${why}`, { cause });
  }
}

function whyNot({ code, message }: NodeJS.ErrnoException, path: string): string {
  if (code === "ENOENT") return `there is no folder ${dirname(path)}`;
  if (code !== "ENXIO") return message;
  // open(2): a socket, or a pipe without a reader.
  const isSocket = statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
  return isSocket ? "it is a socket" : "it is a pipe that nobody reads";
}

function loaded<T>(module: T | null): T {
  if (module === null) throw new Error("a handler is opened whose module isn't imported");
  return module;
}

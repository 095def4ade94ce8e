/** The error log: Gunicorn's lines, `[2026-11-20 11:24:13 +0000] [21023] [INFO] message`, on standard error. */
import { writeSync } from "node:fs";
// The core alone: the default entry brings 9,000 more objects, which every garbage collection of a worker visits.
import { type ConsolaReporter, createConsola } from "consola/core";
import type { Log } from "../config/hooks.ts";

export type { Log, Metric } from "../config/hooks.ts";

/** Gunicorn's levels, the most severe first. */
const logLevels = ["critical", "error", "warning", "info", "debug"] as const;
export type LogLevel = (typeof logLevels)[number];

function pad(value: number, width = 2): string {
  return String(value).padStart(width, "0");
}

/** Local time as Python's `%Y-%m-%d %H:%M:%S %z`. */
function formatLogTime(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(offset) / 60))}${pad(Math.abs(offset) % 60)}`;
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())} ${zone}`;
}

/** Writes all of `text`; a pipe whose reader is slow is waited for, up to a second. */
export function writeFully(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  for (let tries = 0; written < bytes.length && tries < 1000;) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EAGAIN") {
        tries += 1;
        Bun.sleepSync(1);
        continue;
      }
      // Nobody reads the log any more; a server that dies of it would be worse.
      if (code !== undefined) return;
      throw error;
    }
  }
}

/**
 * @param threshold the least severe level that is written
 * @param write where lines go, terminator included
 */
export function createLog(
  threshold: LogLevel,
  write: (line: string) => void = (line) => writeFully(2, line),
): Log {
  const reporter: ConsolaReporter = {
    log({ type, date, args }) {
      const head = `[${formatLogTime(date)}] [${process.pid}] [${type.toUpperCase()}]`;
      write(`${head} ${args.join(" ")}\n`);
    },
  };
  const types = Object.fromEntries(logLevels.map((type, level) => [type, { level }]));
  const consola = createConsola({
    types: types as never,
    level: logLevels.indexOf(threshold),
    reporters: [reporter],
    // consola would fold repeated lines; every line of a log counts.
    throttle: 0,
    // Its own types replace consola's, so the instance has Gunicorn's five methods.
  }) as unknown as Record<LogLevel, (message: string) => void>;
  return {
    critical: (message) => consola.critical(message),
    error: (message) => consola.error(message),
    exception: (message) => consola.error(message),
    warning: (message) => consola.warning(message),
    info: (message) => consola.info(message),
    debug: (message) => consola.debug(message),
  };
}

/** What an error says in the log: the stack of a bug, the place of a syntax error, or the text of something that isn't an Error. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.map(describeError).join("\n");
  }
  if (error instanceof Error) {
    const { position } = error as { readonly position?: Position | null };
    if (position?.file) {
      const { file, line, column, lineText } = position;
      return `${error.name}: ${error.message}\n    at ${file}:${line}:${column}: ${lineText.trim()}`;
    }
    const stack = error.stack ?? `${error.name}: ${error.message}`;
    return stack.includes(error.message) ? stack : `${error.name}: ${error.message}\n${stack}`;
  }
  return `Thrown: ${typeof error === "string" ? error : Bun.inspect(error)}`;
}

/** What Bun's BuildMessage and ResolveMessage have. */
interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly lineText: string;
}

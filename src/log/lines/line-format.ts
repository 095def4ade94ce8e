/**
 * Forms of a line: Gunicorn's, one JSON object, or the bare message. Small, since apps import it by way of
 * src/index.ts.
 */
import { localTime } from "./local-time.ts";

/** Gunicorn's levels, the most severe first. */
export const logLevels = ["critical", "error", "warning", "info", "debug"] as const;
export type LogLevel = (typeof logLevels)[number];

/** A message as a destination writes it, terminator included. */
export type LineFormat = (level: LogLevel, message: string) => string;

export type LoggerName = "gunicorn.error" | "gunicorn.access";

/** Local time as Python's `%Y-%m-%d %H:%M:%S %z`. */
function formatLogTime(date: Date): string {
  const time = localTime(date);
  return `${time.slice(0, 10)} ${time.slice(11, 19)} ${time.slice(19)}`;
}

/** Gunicorn's line of the error log: `[2026-11-20 11:24:13 +0000] [21023] [INFO] message`. */
export const textLine: LineFormat = (level, message) =>
  `[${formatLogTime(new Date())}] [${process.pid}] [${level.toUpperCase()}] ${message}\n`;

/** The message alone, as in the access log. */
export const bareLine: LineFormat = (_level, message) => `${message}\n`;

/** One object a line. A message with a stack behind its first line is split into both. */
export function jsonLine(logger: LoggerName): LineFormat {
  return (level, text) => {
    const { message, stack } = splitStack(text);
    const time = new Date().toISOString();
    const { pid } = process;
    return `${JSON.stringify({ time, level, pid, logger, message, stack })}\n`;
  };
}

/** Splits a text into message and stack, which is undefined when no line looks like a place in the code. */
export function splitStack(text: string): { message: string; stack: string | undefined } {
  const end = text.indexOf("\n");
  if (end === -1 || !/\n\s+at /.test(text)) return { message: text, stack: undefined };
  return { message: text.slice(0, end), stack: text.slice(end + 1) };
}

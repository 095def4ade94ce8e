/**
 * Forms of a line: Gunicorn's, one JSON object, or the bare message. Small, since apps import it by way of
 * src/index.ts.
 */

/** Gunicorn's levels, the most severe first. */
export const logLevels = ["critical", "error", "warning", "info", "debug"] as const;
export type LogLevel = (typeof logLevels)[number];

/** A message as a destination writes it, terminator included. */
export type LineFormat = (level: LogLevel, message: string) => string;

export type LoggerName = "gunicorn.error" | "gunicorn.access";

function pad(value: number, width = 2): string {
  return String(value).padStart(width, "0");
}

/** The zone of a local time as Python's `%z`. */
export function zoneOf(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const minutes = Math.abs(offset);
  return `${offset < 0 ? "-" : "+"}${pad(Math.floor(minutes / 60))}${pad(minutes % 60)}`;
}

/** Local time as Python's `%Y-%m-%d %H:%M:%S %z`. */
function formatLogTime(date: Date): string {
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return `${day} ${time} ${zoneOf(date)}`;
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

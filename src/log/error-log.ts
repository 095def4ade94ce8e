/** The error log: levels, and what an error says. Where its lines go is up to handlers. */
// The core alone: the default entry brings 9,000 more objects, which every garbage collection of a worker visits.
import { type ConsolaReporter, createConsola, LogLevels, type LogType } from "consola/core";
import type { Log } from "../api/log.ts";
import { isA } from "../api/thrown.ts";
import { describeError, textOf } from "./lines/describe-error.ts";
import { type LogLevel, logLevels } from "./lines/line-format.ts";

export { describeError } from "./lines/describe-error.ts";
export type { Log, Metric } from "../api/log.ts";
export type { LogLevel } from "./lines/line-format.ts";

/** What is no Error becomes one that says what it is. */
export function asError(thrown: unknown): Error {
  return isA(thrown, Error) ? thrown : new Error(describeError(thrown));
}

/** A destination, and the least severe level that it takes. */
export interface ErrorSink {
  readonly threshold: LogLevel;
  readonly handler: { emit(level: LogLevel, message: string): void };
}

/** consola's names of Gunicorn's levels. */
const typeOfLevel = {
  critical: "fatal",
  error: "error",
  warning: "warn",
  info: "info",
  debug: "debug",
} as const satisfies Record<LogLevel, LogType>;

const levelOfType = new Map<LogType, LogLevel>(
  logLevels.map((level) => [typeOfLevel[level], level]),
);

/** A log whose level can be changed. */
export interface LeveledLog extends Log {
  setLevel(level: LogLevel): void;
}

/** @param least the least severe level that is written */
export function createLog(least: LogLevel, sinks: readonly ErrorSink[]): LeveledLog {
  let threshold = least;
  const reporter: ConsolaReporter = {
    log({ type, args }) {
      const level = levelOfType.get(type);
      // consola has one number for fatal and error.
      if (level === undefined || !isSevere(level, threshold)) return;
      const message = args.join(" ");
      for (const sink of sinks) {
        if (isSevere(level, sink.threshold)) sink.handler.emit(level, message);
      }
    },
  };
  const consola = createConsola({
    level: LogLevels[typeOfLevel[threshold]],
    reporters: [reporter],
    // consola would fold repeated lines; every line of a log counts.
    throttle: 0,
  });
  // As texts: consola takes some objects for its own.
  return {
    critical: (message) => consola.fatal(textOf(message)),
    error: (message) => consola.error(textOf(message)),
    exception: (message) => consola.error(textOf(message)),
    warning: (message) => consola.warn(textOf(message)),
    // A call that is there for its metric says nothing.
    info: (message) => void (message === "" || consola.info(textOf(message))),
    debug: (message) => void (message === "" || consola.debug(textOf(message))),
    setLevel(level) {
      threshold = level;
      consola.level = LogLevels[typeOfLevel[level]];
    },
  };
}

/** Whether a level is at least as severe as the threshold. */
export function isSevere(level: LogLevel, threshold: LogLevel): boolean {
  return logLevels.indexOf(level) <= logLevels.indexOf(threshold);
}

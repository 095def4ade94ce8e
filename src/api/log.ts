/** The error log as apps, hooks and the server itself write it, and what takes its place. */
import type { RequestRecord } from "./request-record.ts";

/** A metric that a log call sends to statsD, whatever the log level: what Gunicorn reads from `extra`. */
export interface Metric {
  /** The name, without statsd_prefix. */
  readonly metric: string;
  readonly value: number;
  /** The type. The value of a timer is in milliseconds. */
  readonly mtype: "gauge" | "counter" | "histogram" | "timer";
}

/** The error log: each call is one line, or more when the message holds line feeds. */
export interface Log {
  /** An empty message sends the metric alone. */
  debug(message: string, metric?: Metric): void;
  /** An empty message sends the metric alone. */
  info(message: string, metric?: Metric): void;
  warning(message: string): void;
  error(message: string): void;
  /** An error with the stack of what was thrown: the level is error, the statsD counter `gunicorn.log.exception`. */
  exception(message: string): void;
  critical(message: string): void;
}

/**
 * What `logger_class` names: a class whose constructor takes the settings, a `ConfigData`. Master and workers make one
 * each; a reload makes a new one and closes the old one. One more is made and closed to check a configuration.
 * What a constructor throws refuses the configuration. What the methods throw, or reject with, is told on standard
 * error and ends nothing; only `reopen` may throw, and the log says so.
 */
export interface CustomLogger extends Log {
  /** Each answered request, in workers only. The object serves the next request too: copy what is to be kept. */
  access(request: RequestRecord): void;
  /** USR1: files have been renamed. May throw. */
  reopen(): void;
  /** Writes what waits: when a worker drains, and at exit. */
  flush?(): void;
  /** Ends the logger: no call follows. */
  close(): void;
}

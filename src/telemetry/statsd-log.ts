/**
 * Log calls as metrics, whatever the log level: those that an operator wants to count, and those that carry a metric.
 */
import type { Log, Metric } from "../log/error-log.ts";
import type { Statsd } from "./statsd.ts";

/** The same log, and each of its calls seen by statsD. An exception doesn't count as an error too, as in Gunicorn. */
export function countLogCalls(log: Log, statsd: Statsd): Log {
  const counting =
    (level: "critical" | "error" | "exception" | "warning") =>
    (message: string): void => {
      statsd.increment(`gunicorn.log.${level}`);
      log[level](message);
    };
  const carrying =
    (level: "info" | "debug") =>
    (message: string, metric?: Metric): void => {
      // An app that isn't typed may pass anything.
      if (typeof metric === "object" && metric !== null) statsd.send(metric);
      if (message !== "") log[level](message);
    };
  return {
    critical: counting("critical"),
    error: counting("error"),
    exception: counting("exception"),
    warning: counting("warning"),
    info: carrying("info"),
    debug: carrying("debug"),
  };
}

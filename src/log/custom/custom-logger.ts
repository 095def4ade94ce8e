/** logger_class: finds the class, makes the logger, and keeps what it throws from the server. */
import { isA } from "../../api/thrown.ts";
import { ConfigError } from "../../api/errors.ts";
import type { CustomLogger } from "../../api/log.ts";
import type { ConfigData } from "../../config/types.ts";
import { writeInTime } from "../../os/write-in-time.ts";
import { loadClass } from "../../modules/load-class.ts";
import { describeError } from "../error-log.ts";
import { textLine } from "../lines/line-format.ts";
import { type BuiltInLogs, withBuiltInLogs } from "./logger.ts";

/** Names of Gunicorn's for the server's own logger. */
const ownNames = ["simple", "gunicorn.glogging.Logger"];

export type LoggerClass = new (config: ConfigData) => CustomLogger;

/** How often a module was asked for: a reload evaluates it anew. */
let loads = 0;

/**
 * Null for the server's own.
 * @throws ConfigError when there is no such class
 */
export async function loadLoggerClass({
  loggerClass,
  chdir,
}: Pick<ConfigData, "loggerClass" | "chdir">): Promise<LoggerClass | null> {
  if (loggerClass === null || ownNames.includes(loggerClass)) return null;
  const setting = "loggerClass";
  const Class = await loadClass({ setting, text: loggerClass, folder: chdir, load: loads++ });
  // Whoever makes one sees whether it has what a logger has.
  return Class as unknown as LoggerClass;
}

const wanted = [
  "debug",
  "info",
  "warning",
  "error",
  "exception",
  "critical",
  "access",
  "reopen",
  "close",
] as const satisfies readonly (keyof CustomLogger)[];

/**
 * @param open opens the server's own logs, for a class that extends Logger
 * @throws ConfigError when the class can't be made, or lacks a method
 */
export function makeLogger(
  Class: LoggerClass,
  config: ConfigData,
  open: () => BuiltInLogs,
): BuiltInLogs {
  const place = `loggerClass: '${config.loggerClass}'`;
  const logger = withBuiltInLogs(open, () => construct(Class, config, place));
  const missing = wanted.filter((name) => typeof logger[name] !== "function");
  if (missing.length > 0) throw new ConfigError(`${place}: has no ${missing.join(", ")}`);
  return guarded(logger);
}

function construct(Class: LoggerClass, config: ConfigData, place: string): CustomLogger {
  try {
    return new Class(config);
  } catch (cause) {
    if (isA(cause, ConfigError)) throw cause;
    const [line = ""] = describeError(cause).split("\n");
    throw new ConfigError(`${place}: ${line}`, { cause });
  }
}

/** A logger that throws must not end the server; reopen() may, as its contract says. */
function guarded(logger: CustomLogger): BuiltInLogs {
  const tell = (error: unknown) =>
    writeInTime(2, textLine("error", `Exception in logger_class\n${describeError(error)}`));
  const guard = (act: () => unknown): void => {
    try {
      const result = act();
      // A method may be async all the same.
      if (result instanceof Promise) result.catch(tell);
    } catch (error) {
      tell(error);
    }
  };
  return {
    log: {
      debug: (message, metric) => guard(() => logger.debug(message, metric)),
      info: (message, metric) => guard(() => logger.info(message, metric)),
      warning: (message) => guard(() => logger.warning(message)),
      error: (message) => guard(() => logger.error(message)),
      exception: (message) => guard(() => logger.exception(message)),
      critical: (message) => guard(() => logger.critical(message)),
    },
    access: { answered: (request) => guard(() => logger.access(request)) },
    reopen: () => logger.reopen(),
    flush: () => guard(() => logger.flush?.()),
    close: () => guard(() => logger.close()),
  };
}

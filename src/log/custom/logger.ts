/**
 * What the package offers to apps: the log of the process they run in, and a base for logger classes. It imports
 * little, since apps pay for it.
 */
import type { CustomLogger, Log, Metric } from "../../api/log.ts";
import type { ConfigData } from "../../config/types.ts";
import { writeFully } from "../../os/write-fully.ts";
import type { RequestRecord } from "../../api/request-record.ts";
import { textOf } from "../lines/describe-error.ts";
import { type LogLevel, textLine } from "../lines/line-format.ts";

/** The server's own logs, as the settings want them. */
export interface BuiltInLogs {
  readonly log: Log;
  /** Null: there is no access log. */
  readonly access: { answered(request: RequestRecord): void } | null;
  /** Left out where somebody else's class decides. */
  setLevel?(level: LogLevel): void;
  reopen(): void;
  flush(): void;
  close(): void;
}

// An app may import this package from another place on disk than the server runs from, and then this file exists twice
// in the process.
const logKey = Symbol.for("gunicorn-ts.log");
const openKey = Symbol.for("gunicorn-ts.open-logs");

interface Shared {
  [logKey]?: Log;
  [openKey]?: (() => BuiltInLogs) | undefined;
}

const shared = globalThis as Shared;

/** Makes a log the one that apps and hooks get. */
export function provideLog(log: Log): void {
  shared[logKey] = log;
}

/** Lets a Logger that is made meanwhile open the server's own logs. */
export function withBuiltInLogs<T>(open: () => BuiltInLogs, make: () => T): T {
  shared[openKey] = open;
  try {
    return make();
  } finally {
    shared[openKey] = undefined;
  }
}

function writeLine(level: "critical" | "error" | "warning" | "info", message: string): void {
  writeFully(2, textLine(level, textOf(message)));
}

/** Where no server runs, as in a unit test of an app: standard error, from level info on. */
const lonelyLog: Log = {
  critical: (message) => writeLine("critical", message),
  error: (message) => writeLine("error", message),
  exception: (message) => writeLine("error", message),
  warning: (message) => writeLine("warning", message),
  info: (message) => {
    if (message !== "") writeLine("info", message);
  },
  debug() {},
};

function current(): Log {
  return shared[logKey] ?? lonelyLog;
}

/** The error log of the process: for apps and hooks. Without a server it writes Gunicorn's lines to standard error. */
export const log: Log = {
  critical: (message) => current().critical(message),
  error: (message) => current().error(message),
  exception: (message) => current().exception(message),
  warning: (message) => current().warning(message),
  info: (message, metric) => current().info(message, metric),
  debug: (message, metric) => current().debug(message, metric),
};

/** The server's own logger, to be extended: override what is to differ, and call `super` for the rest. */
export class Logger implements CustomLogger {
  readonly cfg: ConfigData;
  readonly #logs: BuiltInLogs;

  constructor(config: ConfigData) {
    this.cfg = config;
    this.#logs = shared[openKey]?.() ?? lonelyLogs;
  }

  debug(message: string, metric?: Metric): void {
    this.#logs.log.debug(message, metric);
  }

  info(message: string, metric?: Metric): void {
    this.#logs.log.info(message, metric);
  }

  warning(message: string): void {
    this.#logs.log.warning(message);
  }

  error(message: string): void {
    this.#logs.log.error(message);
  }

  exception(message: string): void {
    this.#logs.log.exception(message);
  }

  critical(message: string): void {
    this.#logs.log.critical(message);
  }

  access(request: RequestRecord): void {
    this.#logs.access?.answered(request);
  }

  reopen(): void {
    this.#logs.reopen();
  }

  flush(): void {
    this.#logs.flush();
  }

  close(): void {
    this.#logs.close();
  }
}

/** The logs of a Logger that is made without a server. */
export const lonelyLogs: BuiltInLogs = {
  log: lonelyLog,
  access: null,
  reopen() {},
  flush() {},
  close() {},
};

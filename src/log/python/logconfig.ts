/**
 * logconfig, logconfig_dict and logconfig_json: the subset of Python's dictConfig that docs/logging.md lists.
 * Invariant: what isn't in the subset is refused with its place; nothing is ignored.
 */
import type { ConfigData } from "../../config/types.ts";
import { jsonLine, type LoggerName, textLine } from "../lines/line-format.ts";
import type { HandlerPlan, LoggerPlan, LogPlan } from "../plan.ts";
import { type Formatter, readFormatter } from "./formatters.ts";
import { type HandlerReading, readHandler } from "./handlers.ts";
import {
  allowOnly,
  readBoolean,
  readLevel,
  readNames,
  readObject,
  refuse,
  type Values,
} from "./values.ts";

/** A logging configuration, and what messages call it. */
export interface Logconfig {
  readonly place: string;
  readonly values: Values;
}

const topLevel = [
  "version",
  "disable_existing_loggers",
  "incremental",
  "root",
  "loggers",
  "handlers",
  "formatters",
];

const loggerKeys = ["level", "handlers", "propagate", "qualname"];

/** Gunicorn's own names for the two loggers, and what they may be called for short. */
const loggerNames: Readonly<Record<string, LoggerName>> = {
  "gunicorn.error": "gunicorn.error",
  error: "gunicorn.error",
  "gunicorn.access": "gunicorn.access",
  access: "gunicorn.access",
};

/** What there is without saying it, as in Gunicorn's CONFIG_DEFAULTS. */
const defaultHandlers: Values = {
  console: { class: "logging.StreamHandler", formatter: "generic", stream: "ext://sys.stdout" },
  error_console: {
    class: "logging.StreamHandler",
    formatter: "generic",
    stream: "ext://sys.stderr",
  },
};

const defaultRoot: Values = { handlers: ["console"] };

/**
 * Gunicorn's propagate to the root besides, so that a line stands there twice; and their level isn't that of loglevel.
 */
const defaultLoggers: Values = {
  "gunicorn.error": { handlers: ["error_console"] },
  "gunicorn.access": { handlers: ["console"] },
};

interface Parts {
  readonly place: string;
  readonly handlers: ReadonlyMap<string, HandlerReading>;
  readonly root: Values;
}

/** @throws ConfigError */
export function applyLogconfig(
  { place, values }: Logconfig,
  builtIn: LogPlan,
  config: ConfigData,
): LogPlan {
  allowOnly(values, topLevel, place);
  // Gunicorn's default for existing loggers is false, Python's true.
  const { version = 1, incremental = false, disable_existing_loggers: disable = false } = values;
  if (version !== 1) refuse(`${place}: version`, "must be 1");
  if (readBoolean(incremental, `${place}: incremental`)) {
    refuse(`${place}: incremental`, "isn't supported");
  }
  const disabled = readBoolean(disable, `${place}: disable_existing_loggers`);
  const handlers = readHandlers(values, place, config);
  const root = readObject(values["root"] ?? defaultRoot, `${place}: root`);
  allowOnly(root, loggerKeys, `${place}: root`);
  const parts: Parts = { place, handlers, root };
  // Wrong names are told even where nothing propagates.
  if (root !== defaultRoot) handlersOf(root, `${place}: root`, parts);
  const named = readLoggers(values, place);
  const planOf = (name: LoggerName, own: LoggerPlan | null): LoggerPlan => {
    const plan = own ?? { threshold: "info", handlers: [] };
    const logger = named.get(name);
    if (logger === undefined) return disabled ? { ...plan, handlers: [] } : plan;
    return readLogger(logger, name, plan, parts);
  };
  return {
    error: planOf("gunicorn.error", builtIn.error),
    access: planOf("gunicorn.access", builtIn.access),
  };
}

interface NamedLogger {
  readonly place: string;
  readonly values: Values;
}

function readLoggers(values: Values, place: string): ReadonlyMap<LoggerName, NamedLogger> {
  const loggers = new Map<LoggerName, NamedLogger>();
  for (const [key, value] of Object.entries(
    readObject(values["loggers"] ?? defaultLoggers, `${place}: loggers`),
  )) {
    const at = `${place}: loggers.${key}`;
    const name = Object.hasOwn(loggerNames, key) ? loggerNames[key] : undefined;
    if (name === undefined) {
      refuse(at, "there is no such logger, only gunicorn.error and gunicorn.access");
    }
    if (loggers.has(name)) refuse(at, `${name} stands there twice`);
    loggers.set(name, { place: at, values: readObject(value, at) });
  }
  return loggers;
}

/** A logger's own handlers, or those that it has without saying so, and the root's if it propagates. */
function readLogger(
  { place, values }: NamedLogger,
  name: LoggerName,
  plan: LoggerPlan,
  parts: Parts,
): LoggerPlan {
  allowOnly(values, loggerKeys, place);
  const { level, propagate = false } = values;
  const own =
    values["handlers"] === undefined
      ? plan.handlers
      : handlersOf(values, place, parts).flatMap((reading) => asPlan(reading, name));
  const above = readBoolean(propagate, `${place}.propagate`)
    ? handlersOf(parts.root, `${parts.place}: root`, parts).flatMap((each) => asPlan(each, name))
    : [];
  return {
    threshold: level === undefined ? plan.threshold : readLevel(level, `${place}.level`),
    handlers: [...own, ...above],
  };
}

function handlersOf(values: Values, place: string, { handlers }: Parts): readonly HandlerReading[] {
  if (values["level"] !== undefined) readLevel(values["level"], `${place}.level`);
  const names = readNames(values["handlers"] ?? [], `${place}.handlers`);
  // Python adds a handler once, however often it is named.
  return [...new Set(names)].map(
    (name) => handlers.get(name) ?? refuse(`${place}.handlers`, `no handler is named '${name}'`),
  );
}

function asPlan(reading: HandlerReading, name: LoggerName): readonly HandlerPlan[] {
  const { place, to, threshold, formatter } = reading;
  return to === null ? [] : [{ place, to, threshold, format: formatter(name) }];
}

function readHandlers(
  values: Values,
  place: string,
  { chdir, logFormat }: ConfigData,
): ReadonlyMap<string, HandlerReading> {
  const formatters = new Map<string, Formatter>();
  // A key that is given replaces the whole default, as in Gunicorn.
  if (values["formatters"] === undefined) {
    formatters.set("generic", logFormat === "json" ? jsonLine : () => textLine);
  }
  for (const [name, value] of Object.entries(
    readObject(values["formatters"], `${place}: formatters`),
  )) {
    const at = `${place}: formatters.${name}`;
    formatters.set(name, readFormatter(readObject(value, at), at));
  }
  const given = values["handlers"] ?? defaultHandlers;
  const handlers = new Map<string, HandlerReading>();
  for (const [name, value] of Object.entries(readObject(given, `${place}: handlers`))) {
    const at = `${place}: handlers.${name}`;
    handlers.set(name, readHandler(readObject(value, at), at, formatters, chdir));
  }
  return handlers;
}

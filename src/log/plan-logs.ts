/** What the settings say of the logs, as a plan. */
import { resolve } from "node:path";
import type { ConfigData } from "../config/types.ts";
import { bareLine, jsonLine, type LoggerName, textLine } from "./lines/line-format.ts";
import type { HandlerPlan, LogPlan } from "./plan.ts";
import { toFile } from "./sinks/inherited-stream.ts";

/** The logging configuration in force, whichever of the three settings it comes from; null if there is none. */
export function logconfigOf({
  logconfigDict,
}: ConfigData): Readonly<Record<string, unknown>> | null {
  return Object.keys(logconfigDict).length === 0 ? null : logconfigDict;
}

/** What messages call the logging configuration: the file that it was read from, if it wasn't written as an object. */
function logconfigPlace({ logconfig, logconfigJson }: ConfigData): string {
  if (logconfigJson !== null) return `logconfig_json: ${logconfigJson}`;
  return logconfig === null ? "logconfig_dict" : `logconfig: ${logconfig}`;
}

/** Whether somebody may want messages of level debug: they needn't be made for nobody (bench: start). */
export function mayDebug(config: ConfigData): boolean {
  return config.loglevel === "debug" || config.loggerClass !== null || logconfigOf(config) !== null;
}

/** @throws ConfigError when the logging configuration asks for what isn't there */
export async function planLogs(config: ConfigData): Promise<LogPlan> {
  const plan = builtInPlan(config);
  const values = logconfigOf(config);
  if (values === null) return plan;
  const { applyLogconfig } = await import("./python/logconfig.ts");
  return applyLogconfig({ place: logconfigPlace(config), values }, plan, config);
}

/** What the settings ask for, without a logging configuration. */
export function builtInPlan(config: ConfigData): LogPlan {
  const { errorlog, accesslog, loglevel } = config;
  const error: HandlerPlan[] = [fileOrStream("errorlog", errorlog, 2, "gunicorn.error", config)];
  const access: HandlerPlan[] = [];
  if (accesslog !== null) {
    access.push(fileOrStream("accesslog", accesslog, 1, "gunicorn.access", config));
  }
  if (config.syslog) {
    error.push(toSyslog());
    if (!config.disableRedirectAccessToSyslog) access.push(toSyslog());
  }
  const wanted = access.length > 0 || logconfigOf(config) !== null;
  return {
    error: { threshold: loglevel, handlers: error },
    access: wanted ? { threshold: "info", handlers: access } : null,
  };
}

function fileOrStream(
  place: string,
  file: string,
  fd: 1 | 2,
  logger: LoggerName,
  { chdir, logFormat }: ConfigData,
): HandlerPlan {
  const isAccess = logger === "gunicorn.access";
  // The lines of the access log are objects already.
  const format = isAccess ? bareLine : logFormat === "json" ? jsonLine(logger) : textLine;
  const to = file === "-" ? ({ type: "stream", fd } as const) : toFile(resolve(chdir, file), place);
  return { place, to, threshold: "debug", format };
}

function toSyslog(): HandlerPlan {
  return {
    place: "syslog",
    to: { type: "syslog", target: null },
    threshold: "debug",
    format: bareLine,
  };
}

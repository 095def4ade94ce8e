/**
 * What can be known of the logs before anything is opened: for --check-config, and before a start or a reload goes on.
 */
import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import { ConfigError } from "../api/errors.ts";
import type { Config, ConfigData } from "../config/types.ts";
import { opening } from "./sinks/open-handlers.ts";
import { lonelyLogs } from "./custom/logger.ts";
import { planLogs } from "./plan-logs.ts";

/**
 * The configuration with what its logging file holds in logconfigDict, so that master and workers go by one reading of
 * it.
 * @param goodFormat an access_log_format that is known to be one: the default
 * @throws ConfigError for a logging configuration or an access_log_format that can't be used
 */
export async function readLogSettings(config: Config, goodFormat: string): Promise<Config> {
  const { logFormat, accessLogFormat, logconfig, logconfigJson, logconfigDict } = config;
  // To read one takes 3 ms (bench: start).
  if (logFormat === "text" && accessLogFormat !== goodFormat) {
    const { compileAccessFormat } = await import("./access/format.ts");
    compileAccessFormat(accessLogFormat);
  }
  const isEmpty = Object.keys(logconfigDict).length === 0;
  if (logconfig === null && logconfigJson === null && isEmpty) return config;
  const { readLogconfig } = await import("./python/logconfig-file.ts");
  // Files that the object wins over are forgotten, so that messages don't name them (logconfigPlace).
  const files = isEmpty ? { logconfig, logconfigJson } : { logconfig: null, logconfigJson: null };
  return Object.freeze({ ...config, ...files, logconfigDict: readLogconfig(config) });
}

/** @throws ConfigError for a file that can't be written, or a logger class that can't be made */
export async function checkLogs(config: ConfigData): Promise<void> {
  const { error, access } = await planLogs(config);
  for (const { place, to } of [...error.handlers, ...(access?.handlers ?? [])]) {
    if (to.type === "file" || to.type === "rotating") {
      opening(place, to.path, () => checkWritable(to.path));
    }
  }
  const { loadLoggerClass, makeLogger } = await import("./custom/custom-logger.ts");
  const Class = await loadLoggerClass(config);
  // Only whoever makes one learns whether it can be made. The server's own logs stay closed.
  if (Class !== null) makeLogger(Class, config, () => lonelyLogs).close();
}

function checkWritable(path: string): void {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isDirectory() === true) throw new ConfigError(`'${path}' is a directory`);
  // Who reads a pipe may come later: the start finds out.
  accessSync(status === undefined ? dirname(path) : path, constants.W_OK);
}

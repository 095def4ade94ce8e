/** All that a process tells the operator, as the settings want it: error log, access log, metrics. */
import { resolve } from "node:path";
import { ConfigError } from "../config/errors.ts";
import type { ConfigData } from "../config/types.ts";
import { redirectOutput } from "../os/output.ts";
import { createLog, type Log } from "./error-log.ts";
import { type FileOwner, LogFile } from "./log-file.ts";
import type { RequestObserver } from "./request-record.ts";

export interface Logs {
  readonly log: Log;
  /** Access log and metrics, if anybody wants to know of requests. */
  readonly observers: readonly RequestObserver[];
  /** USR1: files have been renamed, so their names are opened anew. A failure is told in the old ones. */
  reopen(): void;
  /** Writes what waits. */
  flush(): void;
  /** Flushes and closes, when another configuration's logs have taken over or the process ends. */
  close(): void;
}

/**
 * @param owner whom new files are to belong to
 * @throws ConfigError when a file can't be opened, or a format isn't one
 */
export async function openLogs(config: ConfigData, owner: FileOwner | null): Promise<Logs> {
  const { errorlog, loglevel, captureOutput, chdir } = config;
  if (errorlog === "-") {
    return { log: createLog(loglevel), observers: [], reopen() {}, flush() {}, close() {} };
  }
  const path = resolve(chdir, errorlog);
  const file = open(path, owner);
  if (captureOutput) redirectOutput(file.fd);
  const log = createLog(loglevel, (line) => file.write(line));
  return {
    log,
    observers: [],
    reopen() {
      try {
        file.reopen();
      } catch (error) {
        log.error(`Can't reopen ${path}: ${(error as Error).message}`);
        return;
      }
      if (captureOutput) redirectOutput(file.fd);
    },
    flush() {},
    close: () => file.close(),
  };
}

function open(path: string, owner: FileOwner | null): LogFile {
  try {
    return new LogFile(path, owner);
  } catch (error) {
    throw new ConfigError(`errorlog: '${path}' isn't writable: ${(error as Error).message}`);
  }
}

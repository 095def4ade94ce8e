/** The error log as the settings want it: on standard error, or in a file. */
import { resolve } from "node:path";
import { ConfigError } from "../config/errors.ts";
import { redirectOutput } from "../os/output.ts";
import { createLog, type Log, type LogLevel } from "./error-log.ts";
import { type FileOwner, LogFile } from "./log-file.ts";

export interface ErrorLogSettings {
  readonly errorlog: string;
  readonly loglevel: LogLevel;
  readonly captureOutput: boolean;
  /** What a relative path starts from. */
  readonly chdir: string;
}

export interface ErrorLog {
  readonly log: Log;
  /** USR1: the file has been renamed, so its name is opened anew. A failure is told in the old one. */
  reopen(): void;
}

/** The file of this process, shared by the logs of all configurations that name it. */
let file: LogFile | null = null;

/** Throws ConfigError when the file can't be opened. */
export function openErrorLog(settings: ErrorLogSettings, owner: FileOwner | null): ErrorLog {
  const { errorlog, loglevel, captureOutput, chdir } = settings;
  if (errorlog === "-") return { log: createLog(loglevel), reopen() {} };
  const path = resolve(chdir, errorlog);
  if (file?.path !== path) file = open(path, owner);
  const target = file;
  if (captureOutput) redirectOutput(target.fd);
  const log = createLog(loglevel, (line) => target.write(line));
  return {
    log,
    reopen() {
      try {
        target.reopen();
      } catch (error) {
        log.error(`Can't reopen ${path}: ${(error as Error).message}`);
        return;
      }
      if (captureOutput) redirectOutput(target.fd);
    },
  };
}

function open(path: string, owner: FileOwner | null): LogFile {
  try {
    return new LogFile(path, owner);
  } catch (error) {
    throw new ConfigError(`errorlog: '${path}' isn't writable: ${(error as Error).message}`);
  }
}

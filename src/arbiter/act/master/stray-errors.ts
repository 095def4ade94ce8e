/**
 * Errors in the master that nobody catches: a hook's promise that rejects, a timer of the configuration file. They end nothing:
 * the workers serve on, and whoever reads the log learns of it.
 */
import { describeError, type Log } from "../../../log/error-log.ts";

/** @param log answers the one in use: a reload brings another one */
export function logStrayErrors(log: () => Log): void {
  for (const name of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(name, (error: unknown) => {
      // A configuration that listens for these itself has decided what they mean.
      if (process.listenerCount(name) > 1) return;
      log().exception(`Unhandled exception in master process\n${describeError(error)}`);
    });
  }
}

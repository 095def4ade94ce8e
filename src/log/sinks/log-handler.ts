/** One place that messages of a logger go to: a file, a standard stream, syslog. */
import type { LogLevel } from "../error-log.ts";

/**
 * Invariants: no method throws for what a system or a peer refuses, and none waits for a peer. What can't be written is
 * kept up to a bound, and what is lost beyond that is told.
 */
export interface LogHandler {
  /** Takes one message, without a line end; a stack has several lines. */
  emit(level: LogLevel, message: string): void;
  /** Writes what waits; called at drain and at exit, and by whoever batches at least once a second. */
  flush(): void;
  /**
   * USR1: a file's name is opened anew, and what waits goes to the old one. Throws when that fails; the old one goes
   * on.
   */
  reopen(): void;
  /** Flushes and lets go of file, socket and timers. */
  close(): void;
}

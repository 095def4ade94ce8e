import type { Log } from "../../src/api/log.ts";

/** A log that gives each of its lines, whatever the level, to `line`. */
export function logTo(line: (text: string) => void): Log {
  return {
    debug: line,
    info: line,
    warning: line,
    error: line,
    exception: line,
    critical: line,
  };
}

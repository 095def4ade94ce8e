/** What somebody who comes from Gunicorn may have left where the server starts. */
import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * Gunicorn would read it, and defaults would take the place of what it says without a word.
 * @param configFile the one that was read
 * @returns a sentence for the log, or null
 */
export function warnOfPython(directory: string, configFile: string | null): string | null {
  if (configFile !== null || !existsSync(join(directory, "gunicorn.conf.py"))) return null;
  return "gunicorn.conf.py isn't read, as it is Python: gunicorn.conf.ts takes its place (docs/from-gunicorn.md)";
}

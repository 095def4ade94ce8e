/**
 * Where the server's own files are: the sources in a checkout, in the package what `prepack` has bundled of them, or an
 * executable that `gunicorn-ts build` has made of either.
 */
import { existsSync } from "node:fs";
import { extname, join } from "node:path";

/** The bundle is laid out as the sources are, and what its programs share, as this file, lies on top. */
export const ownFolder = import.meta.dir;

const extension = extname(import.meta.path);

/** Whether Bun and the server are one executable: its own files are only seen from within. */
export const isExecutable = ownFolder.startsWith("/$bunfs/");

/**
 * The words that run an own file in a process of its own. An executable is run by what this process is, since the file that it
 * was started from may be gone, or of the next version. Without --no-install, Bun fetches a package that is missing from the
 * registry and runs it; an executable has the flag inside.
 */
export const ownRuntime: readonly string[] = isExecutable
  ? [existsSync("/proc/self/exe") ? "/proc/self/exe" : process.execPath]
  : [process.execPath, "--no-install", ...process.execArgv];

/** @param source from src, without its extension: `worker/main` */
export function ownFile(source: string): string {
  return join(ownFolder, `${source}${extension}`);
}

/** Written into an executable that has an app inside: MODULE:EXPORT, as it was given to `gunicorn-ts build`. */
declare const GUNICORN_TS_APP: string;

export const builtApp: string | null =
  typeof GUNICORN_TS_APP === "undefined" ? null : GUNICORN_TS_APP;

/** The own file that stands for the built app's module. */
export const builtAppFile = "app";

/** Where the report is that Bun writes when it crashes. */
import { readlinkSync } from "node:fs";

/** Bun writes one for these; for ABRT only where nobody listens, and workers do. */
const crashes = new Set(["SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP"]);

/** A sentence for the log, which workers of this process share standard error with; empty for an end that is no crash. */
export function whereIsReport(signal: string | null): string {
  if (signal === null || !crashes.has(signal)) return "";
  const place = standardError();
  if (place === "/dev/null") return "Bun's crash report is lost: standard error is /dev/null";
  const file = place !== null && place.startsWith("/") ? `, ${place}` : "";
  // A signal that the process has sent itself is no crash.
  return `Bun's crash report, if it has made one, is on standard error${file}`;
}

function standardError(): string | null {
  try {
    return readlinkSync("/proc/self/fd/2");
  } catch (error) {
    // No /proc.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return null;
  }
}

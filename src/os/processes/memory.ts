/** Memory of processes. */
import { readFileSync } from "node:fs";

/**
 * The resident set in bytes; null where the system doesn't say (no /proc, no descriptor left), or the process has gone.
 */
export function residentBytes(pid: number): number | null {
  try {
    const [, kibibytes] =
      /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return null;
  }
}

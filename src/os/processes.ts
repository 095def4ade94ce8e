/** Other processes. */
import { readFileSync } from "node:fs";

/** Whether a process of this number lives; a zombie doesn't. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    // It runs as somebody else. All other codes: no such process, or a number that can't be one.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Dead, and not yet waited for: it holds nothing any more. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return false;
  }
}

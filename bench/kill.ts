/** Processes by their pids, which may have ended meanwhile. */

/** Whether there is such a process, a zombie included. */
export function isAlive(pid: number): boolean {
  return signalIfThere(pid, 0);
}

/** Ends all that are there still. */
export function killAll(pids: Iterable<number>): void {
  for (const pid of pids) signalIfThere(pid, "SIGKILL");
}

/** False for one that has gone. */
function signalIfThere(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

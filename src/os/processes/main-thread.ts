/** What the main thread of another process does. */
import { readFileSync } from "node:fs";

export interface ThreadReading {
  /** proc(5): R runs or wants to, S and D wait, T and t are stopped. */
  readonly state: string;
  /** For how long it has run or wanted to; null where the system doesn't count. */
  readonly busyMs: number | null;
  /** How often it has begun to wait for something; null where the system doesn't count. */
  readonly waits: number | null;
}

/** Null where /proc doesn't tell, or the process has gone. */
export function readMainThread(pid: number): ThreadReading | null {
  const stat = read(`/proc/${pid}/task/${pid}/stat`);
  if (stat === null) return null;
  // Before the state stands a name that may contain anything.
  const [state = ""] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 1);
  // Nanoseconds on a CPU, and in the queue for one: on a busy machine only both together tell a thread that computes.
  const [ran, queued] = read(`/proc/${pid}/task/${pid}/schedstat`)?.split(" ").map(Number) ?? [];
  const busyMs = ran === undefined || queued === undefined ? null : (ran + queued) / 1e6;
  const [, waits] =
    /^voluntary_ctxt_switches:\s+(\d+)$/m.exec(read(`/proc/${pid}/task/${pid}/status`) ?? "") ?? [];
  return { state, busyMs, waits: waits === undefined ? null : Number(waits) };
}

/** The function of the kernel that it waits in; null if it doesn't, or may not be known. */
export function waitsIn(pid: number): string | null {
  const name = read(`/proc/${pid}/wchan`) ?? "";
  return /^[a-z_][\w.]*$/i.test(name) ? name : null;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    // No /proc, no descriptor left, or no such process any more.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return null;
  }
}

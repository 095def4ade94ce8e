/**
 * Orphans of a container: the first process of a pid namespace inherits every process whose parent
 * died, and must wait for it, or it stays a zombie. The exit status of a child that Bun started is
 * Bun's to collect: taken from it, `exited` would never tell the truth.
 */
import { readdirSync, readFileSync } from "node:fs";
import { library } from "../libc.ts";

const WNOHANG = 1;

/**
 * Collects the children of this process that are dead and that nobody else waits for, and answers
 * with their pids. Spared are those of `isOurs`, and all that Bun watches by a pidfd: a hook may have
 * started programs that the caller doesn't know of.
 */
export function reapStrays(isOurs: (pid: number) => boolean): number[] {
  const strays = childrenOf(process.pid).filter((pid) => !isOurs(pid));
  if (strays.length === 0) return [];
  const watched = watchedPids();
  // Out of descriptors: the strays wait for the next time.
  if (watched === null) return [];
  // waitid(P_ALL, WNOWAIT) would show the same dead child again and again while Bun hasn't collected it.
  return strays.filter((pid) => !watched.has(pid) && library().waitpid(pid, null, WNOHANG) === pid);
}

/**
 * Living and dead children of the main thread: the kernel gives it the orphans. The path holds the
 * pid twice over, so that a /proc of another pid namespace, whose numbers mean other processes, has no such file.
 */
function childrenOf(pid: number): number[] {
  try {
    return readIfAny(`/proc/self/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return [];
  }
}

/** The processes of which this one holds a pidfd; null where the system doesn't say. */
function watchedPids(): ReadonlySet<number> | null {
  const pids = new Set<number>();
  try {
    for (const fd of readdirSync("/proc/self/fdinfo")) {
      const [, pid] = /^Pid:\s*(\d+)$/m.exec(readIfAny(`/proc/self/fdinfo/${fd}`)) ?? [];
      if (pid !== undefined) pids.add(Number(pid));
    }
    return pids;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return null;
  }
}

/**
 * Empty for a file that isn't there: no /proc, a kernel without CONFIG_PROC_CHILDREN, or a descriptor that was closed
 * meanwhile.
 */
function readIfAny(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES") return "";
    throw error;
  }
}

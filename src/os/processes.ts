/** Other processes. */
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";

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

/**
 * Whether the process may be a master of Gunicorn, ours or Python's, by its command line. True where nothing can be
 * learned of a process that runs; false for the id of a thread, which kill() takes too.
 */
export function mayBeGunicorn(pid: number): boolean {
  if (!isRunning(pid)) return false;
  try {
    const group = /^Tgid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
    if (group !== null && Number(group[1]) !== pid) return false;
    // The words, with those before the title is set: `bun bin/gunicorn-ts.ts`.
    const words = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
    return words.some((word) => /^gunicorn: master\b|(^|\/)gunicorn(-ts)?(\.ts)?$/.test(word));
  } catch {
    // No /proc, or one that hides the processes of others.
    return isRunning(pid) && !existsSync(`/proc/${pid}`);
  }
}

/** The parent's id; null where /proc doesn't tell. */
export function parentOf(pid: number): number | null {
  const [, parent] = statFields(pid) ?? [];
  return parent === undefined ? null : Number(parent);
}

/**
 * The program's name, for a log line: the first word of a title (`nginx: master process`), or the file's. Arguments are
 * left out, which may be secret. Null where /proc doesn't tell.
 */
export function nameOfProcess(pid: number): string | null {
  try {
    const [first = ""] = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0", 1);
    const name = basename(first.split(/:? /, 1)[0] as string);
    // A thread of the kernel, or a process that has cleared its words.
    const text = name === "" ? readFileSync(`/proc/${pid}/comm`, "latin1").trimEnd() : name;
    // Whoever runs the process chooses its name: no line feed or terminal sequence of theirs gets into a log.
    return text.replace(/[^\x20-\x7e]/g, "?");
  } catch {
    return null;
  }
}

/** What it has used of the CPUs so far; null where /proc doesn't tell, or it has gone. */
export function cpuSeconds(pid: number): number | null {
  const fields = statFields(pid);
  if (fields === null) return null;
  // proc(5): utime and stime. Linux shows them in hundredths of a second on all machines.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Whether it is dead and not yet waited for: it holds nothing any more. */
function isZombie(pid: number): boolean {
  return statFields(pid)?.[0] === "Z";
}

/** State, parent and what follows; before them stands a name that may contain anything. Null where /proc doesn't tell. */
export function statFields(pid: number | "self"): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

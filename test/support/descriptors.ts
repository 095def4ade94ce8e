/** What a process holds, by proc(5). */
import { readdirSync, readlinkSync } from "node:fs";

/** Those that close while it is looked are left out. */
export function descriptorsOf(pid: number): (readonly [path: string, what: string])[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    const what = targetOf(pid, fd);
    return what === null ? [] : [[`${folder}/${fd}`, what] as const];
  });
}

/** What a descriptor is of; null while it is closed. */
export function targetOf(pid: number, fd: number | string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** A descriptor that stands for a socket's name, which has gone. */
export function nameless(pid: number): string {
  const found = descriptorsOf(pid).find(([, what]) => /gunicorn-ts-.*\(deleted\)$/.test(what));
  return found?.[0] ?? "";
}

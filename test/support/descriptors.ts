/** What a process holds, by proc(5). */
import { readdirSync, readlinkSync } from "node:fs";

/** Those that close while it is looked are left out. */
export function descriptorsOf(pid: number): (readonly [path: string, what: string])[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    const path = `${folder}/${fd}`;
    try {
      return [[path, readlinkSync(path)] as const];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  });
}

/** A descriptor that stands for a socket's name, which has gone. */
export function nameless(pid: number): string {
  const found = descriptorsOf(pid).find(([, what]) => /gunicorn-ts-.*\(deleted\)$/.test(what));
  return found?.[0] ?? "";
}

/** What a process holds, by proc(5). */
import { readdirSync, readlinkSync } from "node:fs";

export function descriptorsOf(pid: number): (readonly [path: string, what: string])[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).map((fd) => [`${folder}/${fd}`, readlinkSync(`${folder}/${fd}`)]);
}

/** A descriptor that stands for a socket's name, which has gone. */
export function nameless(pid: number): string {
  const found = descriptorsOf(pid).find(([, what]) => /gunicorn-ts-.*\(deleted\)$/.test(what));
  return found?.[0] ?? "";
}

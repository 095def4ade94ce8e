import { readFileSync } from "node:fs";

/** Resident memory of another process that is its own: heap and buffers, no mapped files. */
export function anonymousBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/RssAnon:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

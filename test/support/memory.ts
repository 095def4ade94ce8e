/** What another process occupies, as the kernel counts it. */
import { readFileSync } from "node:fs";
import { descriptorsOf } from "./descriptors.ts";
import { until } from "./server.ts";

export const megabyte = 1024 * 1024;

/** Resident memory of another process that is its own: heap and buffers, no mapped files. */
export function anonymousBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/RssAnon:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** How many sockets another process has open, listening ones included. */
export function openSockets(pid: number): number {
  return descriptorsOf(pid).filter(([, what]) => what.startsWith("socket:")).length;
}

/** Watches a figure of another process all the while: its value at the start, and the highest. */
export class Watch implements Disposable {
  readonly before: number;
  highest: number;
  readonly #read: () => number;
  readonly #timer: Timer;

  constructor(read: () => number, intervalMs = 10) {
    this.#read = read;
    this.before = read();
    this.highest = this.before;
    this.#timer = setInterval(() => this.look(), intervalMs);
  }

  look(): void {
    this.highest = Math.max(this.highest, this.#read());
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** A process returns memory some time after it has stopped using it: waits until it grew by less than `bytes` from `before`. */
export async function settledGrowth(pid: number, before: number, bytes: number): Promise<number> {
  await until(`less than ${bytes / megabyte} MB more than before`, () => {
    return anonymousBytes(pid) - before < bytes;
  });
  return anonymousBytes(pid) - before;
}

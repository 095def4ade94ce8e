/** The websockets that are open at one Bun.serve, and how they are closed when the worker leaves. */
import type { Socket } from "./handlers.ts";

/** RFC 6455 §7.4.1: a server going down. */
const goingAway = [1001, "Going away"] as const;

/** How many clients may be sent away in a second while there is time: they come back at once, and to few workers. */
const closesPerSecond = 100;
const tickMs = 20;

/**
 * How long to take for closing so many sockets: as the rate says, and three quarters of the limit at most, in
 * milliseconds.
 */
export function spreadMs(count: number, limitMs: number): number {
  return Math.min((count / closesPerSecond) * 1000, limitMs * 0.75);
}

/** How many of `open` sockets to close now, so that the last one closes `leftMs` from now if it is asked every tick. */
export function dueNow(open: number, leftMs: number): number {
  if (leftMs <= 0) return open;
  return Math.ceil(open / (Math.floor(leftMs / tickMs) + 1));
}

export class OpenSockets {
  readonly #open = new Set<Socket>();
  /** Handlers of a closed socket may still be at work, and publish. */
  readonly #closed = new WeakSet<Socket>();
  /** Sockets that open are closed at once. */
  #over = false;

  get size(): number {
    return this.#open.size;
  }

  /** Whether the socket is one of these, or was. */
  has(socket: Socket): boolean {
    return this.#open.has(socket) || this.#closed.has(socket);
  }

  add(socket: Socket): void {
    this.#open.add(socket);
    // After the app's own handler, which runs next.
    if (this.#over) queueMicrotask(() => socket.close(...goingAway));
  }

  delete(socket: Socket): void {
    this.#open.delete(socket);
    this.#closed.add(socket);
  }

  /**
   * Closes each socket with 1001, spread evenly, those that open meanwhile too; resolves when the last one is closed.
   * @param overMs from the first to the last
   * @param slowMs how long clients have at most that haven't read all
   * @returns how many of them still hadn't
   */
  async drain(overMs: number, slowMs: number): Promise<number> {
    const begunMs = performance.now();
    for (let sinceMs = 0; sinceMs < slowMs && this.#open.size > 0;) {
      this.#close(dueNow(this.#open.size, overMs - sinceMs), false);
      await Bun.sleep(tickMs);
      sinceMs = performance.now() - begunMs;
    }
    this.#over = true;
    return this.#close(this.#open.size, true);
  }

  /** Closes so many, those of slow readers too or not; answers how many those were. */
  #close(count: number, slow: boolean): number {
    let left = count;
    let cut = 0;
    // Each is deleted by its close handler, which Bun calls within close().
    for (const socket of this.#open) {
      if (left <= 0) break;
      const isSlow = socket.getBufferedAmount() > 0;
      if (isSlow && !slow) continue;
      if (isSlow) cut += 1;
      left -= 1;
      socket.close(...goingAway);
    }
    return cut;
  }
}

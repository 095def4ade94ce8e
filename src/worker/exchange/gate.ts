/**
 * Bounds how many requests the app has at a time: `threads`. The others wait, in the order in which they came; no
 * timeout runs for them, as their connections' own clocks stop once a request has arrived.
 */

/** What waits at the gate. */
export interface Guest {
  /** There is room: go in. Its end is told by leave(). */
  enter(): void;
}

/** Who comes, and may be refused. */
export interface Comer extends Guest {
  readonly head: { readonly method: string; readonly target: string };
  /** Not now: nothing else is called. */
  refuse(): void;
}

/** What every request passes before the app is asked. */
export interface Door {
  /** True: go in now, and leave() afterwards. False: enter() is called later, or refuse() was. */
  admit(guest: Comer): boolean;
  leave(): void;
  forget(guest: Guest): void;
  moves(): boolean;
}

export class Gate implements Door {
  readonly #limit: number;
  /** And when each has come. */
  readonly #waiting = new Map<Guest, number>();
  #inside = 0;
  /** Somebody has come in or left since moves() was asked. */
  #moved = false;
  #letsIn = false;

  /** @param limit how many may be inside, at least 1 */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * True: go in now, and leave() afterwards. False: enter() is called when there is room.
   * @param nowMs for oldestMs()
   */
  admit(guest: Guest, nowMs = 0): boolean {
    if (this.#inside < this.#limit && this.#waiting.size === 0) {
      this.#inside += 1;
      this.#moved = true;
      return true;
    }
    this.#waiting.set(guest, nowMs);
    return false;
  }

  /** A guest that was inside has come to an end. */
  leave(): void {
    this.#inside -= 1;
    this.#moved = true;
    // Whoever goes in may be out again at once: that is no reason for a deeper stack.
    if (this.#letsIn) return;
    this.#letsIn = true;
    try {
      this.#letIn();
    } finally {
      this.#letsIn = false;
    }
  }

  /** A guest that waited waits no longer. */
  forget(guest: Guest): void {
    this.#waiting.delete(guest);
  }

  /** How long the guest has waited that is the next; 0 if none waits. */
  oldestMs(nowMs: number): number {
    const [sinceMs = nowMs] = this.#waiting.values();
    return nowMs - sinceMs;
  }

  /** False when all that may be inside have been there since the last call, and nobody else has. */
  moves(): boolean {
    const moves = this.#moved || this.#inside < this.#limit;
    this.#moved = false;
    return moves;
  }

  #letIn(): void {
    while (this.#inside < this.#limit) {
      const [next] = this.#waiting.keys();
      if (next === undefined) return;
      this.#waiting.delete(next);
      this.#inside += 1;
      next.enter();
    }
  }
}

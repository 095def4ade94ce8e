/**
 * Bounds how many requests the app has at a time: `threads`. The others wait, in the order in which they came; no
 * timeout runs for them, as their connections' own clocks stop once a request has arrived.
 */

/** What waits at the gate. */
export interface Guest {
  /** There is room: go in. Its end is told by leave(). */
  enter(): void;
}

export class Gate {
  readonly #limit: number;
  readonly #waiting = new Set<Guest>();
  #inside = 0;
  /** Somebody has come in or left since moves() was asked. */
  #moved = false;
  #letsIn = false;

  /** @param limit how many may be inside, at least 1 */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** True: go in now, and leave() afterwards. False: enter() is called when there is room. */
  admit(guest: Guest): boolean {
    if (this.#inside < this.#limit && this.#waiting.size === 0) {
      this.#inside += 1;
      this.#moved = true;
      return true;
    }
    this.#waiting.add(guest);
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

  /** False when all that may be inside have been there since the last call, and nobody else has. */
  moves(): boolean {
    const moves = this.#moved || this.#inside < this.#limit;
    this.#moved = false;
    return moves;
  }

  #letIn(): void {
    while (this.#inside < this.#limit) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      this.#waiting.delete(next);
      this.#inside += 1;
      next.enter();
    }
  }
}

/**
 * Whether requests wait for too long, and have done so for a while: the idea of CoDel (RFC 8289), by which a burst is a good
 * queue, which drains, and a standing one isn't. Pure.
 *
 * | it stands | when, for an interval                                                                         |
 * | --------- | --------------------------------------------------------------------------------------------- |
 * | from      | no request has come that waited for less; or three turns of the loop and more took longer,    |
 * |           | and together most of the time                                                                 |
 * | until     | for `calmMs` no delay was above the target, and nobody was refused                            |
 */

/** An interval is so many times the target: longer than a pause of the garbage collector, or a burst that soon drains. */
const intervalTargets = 10;
const leastIntervalMs = 100;
const mostIntervalMs = 1000;

/** One that stands still for seconds, and the one behind it, are no overload. */
const leastTurns = 3;
const leastShare = 0.5;

/** Delays are short while the others are refused: it isn't over at the first that is. */
export const calmMs = 2000;

export function intervalOf(targetMs: number): number {
  const intervalMs = Math.max(leastIntervalMs, targetMs * intervalTargets);
  // What may be late for longer may be so for as long again.
  return Math.max(targetMs, Math.min(mostIntervalMs, intervalMs));
}

export class StandingDelay {
  readonly #targetMs: number;
  readonly #intervalMs: number;
  /** Since when all requests wait for longer than the target; -1: the newest hasn't. */
  #lateSinceMs = -1;
  /** When the first of the long turns began; -1: there were none lately. */
  #longSinceMs = -1;
  #longMs = 0;
  #longTurns = 0;
  #troubledMs = 0;
  #stands = false;

  constructor(targetMs: number) {
    this.#targetMs = targetMs;
    this.#intervalMs = intervalOf(targetMs);
  }

  get stands(): boolean {
    return this.#stands;
  }

  /** A request has come, and has waited for so long. */
  arrived(nowMs: number, delayMs: number): void {
    if (delayMs <= this.#targetMs) {
      this.#lateSinceMs = -1;
      return;
    }
    this.#troubledMs = nowMs;
    if (this.#lateSinceMs === -1) this.#lateSinceMs = nowMs;
    else if (nowMs - this.#lateSinceMs >= this.#intervalMs) this.#stands = true;
  }

  /** A turn of the loop is over: `delayMs` is how long it took, or how long a request waits for another one by now. */
  turned(nowMs: number, delayMs: number): void {
    if (delayMs > this.#targetMs) {
      this.#troubledMs = nowMs;
      if (this.#longSinceMs === -1) this.#longSinceMs = nowMs - delayMs;
      this.#longMs += delayMs;
      this.#longTurns += 1;
    } else this.#lateSinceMs = -1;
    const elapsedMs = nowMs - this.#longSinceMs;
    if (this.#longSinceMs === -1) return;
    if (this.#longMs < elapsedMs * leastShare) this.#forgetTurns();
    else if (this.#longTurns >= leastTurns && elapsedMs >= this.#intervalMs) this.#stands = true;
  }

  /** A request was refused on its account. */
  refused(nowMs: number): void {
    this.#troubledMs = nowMs;
  }

  /** Some time has gone by. */
  passed(nowMs: number): void {
    if (!this.#stands || nowMs - this.#troubledMs < calmMs) return;
    this.#stands = false;
    this.#lateSinceMs = -1;
    this.#forgetTurns();
  }

  #forgetTurns(): void {
    this.#longSinceMs = -1;
    this.#longMs = 0;
    this.#longTurns = 0;
  }
}

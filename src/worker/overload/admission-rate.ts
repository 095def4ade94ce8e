/**
 * How many requests a second a worker that is overloaded takes on: about as many as it can get done, by the time that its
 * event loop has needed for the last ones. An app that waits before it computes shows too late what was one too many. Pure.
 */

/** How often it is reckoned anew. */
const windowMs = 100;
/** What the loop was busy with longer ago says less and less. */
const memoryMs = 500;
/** By so much more than can be done, where turns are short; by as much less for each target that they take longer than that. */
const swing = 0.2;
/** Where nothing is got done: one a second. */
const leastPerMs = 0.001;

export class AdmissionRate {
  readonly #targetMs: number;
  // Since it was reckoned.
  #sinceMs = 0;
  #finished = 0;
  #busyMs = 0;
  /** Of the turns, their squares: most requests come in the long ones. */
  #squares = 0;
  // What is remembered.
  #finishedBefore = 0;
  #busyBeforeMs = 0;
  /** How long the turn takes that a request comes in. */
  #turnMs = 0;
  #allowedPerMs = leastPerMs;
  /** Requests that may be taken on now. */
  #allowed = 0;
  #filledMs = 0;

  constructor(targetMs: number) {
    this.#targetMs = targetMs;
  }

  finished(): void {
    this.#finished += 1;
  }

  /** The loop has taken so long for a turn. */
  turned(nowMs: number, tookMs: number): void {
    this.#busyMs += tookMs;
    this.#squares += tookMs * tookMs;
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs < windowMs) return;
    const kept = Math.exp(-this.#busyMs / memoryMs);
    this.#finishedBefore = this.#finishedBefore * kept + this.#finished;
    this.#busyBeforeMs = this.#busyBeforeMs * kept + this.#busyMs;
    const turnKept = Math.exp(-elapsedMs / memoryMs);
    this.#turnMs = this.#turnMs * turnKept + (this.#squares / elapsedMs) * (1 - turnKept);
    const slack = 1 - this.#turnMs / this.#targetMs;
    const factor = Math.max(0, 1 + swing * slack);
    const donePerMs = this.#busyBeforeMs === 0 ? 0 : this.#finishedBefore / this.#busyBeforeMs;
    this.#allowedPerMs = Math.max(leastPerMs, donePerMs * factor);
    this.#sinceMs = nowMs;
    this.#finished = 0;
    this.#busyMs = 0;
    this.#squares = 0;
  }

  /** True: one more is taken on. */
  take(nowMs: number): boolean {
    const most = Math.max(1, this.#allowedPerMs * this.#targetMs);
    const more = (nowMs - this.#filledMs) * this.#allowedPerMs;
    this.#allowed = Math.min(most, this.#allowed + more);
    this.#filledMs = nowMs;
    if (this.#allowed < 1) return false;
    this.#allowed -= 1;
    return true;
  }
}

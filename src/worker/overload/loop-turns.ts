/**
 * How long a request may have waited for the event loop. A turn of the loop looks once for what has arrived, and then
 * hands on one request after another: what comes meanwhile waits for the next turn, and nobody says when it came. But it
 * wasn't there when the turn before began to look. While nothing comes, nothing is watched.
 */

/** A turn that takes no longer is none that anybody has waited for. */
const shortMs = 1;

export interface LoopClock {
  nowMs(): number;
  /** Calls it at the end of the turn, once. */
  atEnd(call: () => void): void;
  /** Calls it each second, until what comes back is called. */
  eachSecond(call: () => void): () => void;
}

export const loopClock: LoopClock = {
  nowMs: () => performance.now(),
  atEnd: (call) => void setImmediate(call),
  eachSecond: (call) => {
    const timer = setInterval(call, 1000);
    // The overload of a worker that leaves keeps it from nothing.
    timer.unref();
    return () => clearInterval(timer);
  },
};

export class LoopTurns {
  readonly #clock: LoopClock;
  readonly #onEnd: (nowMs: number, tookMs: number) => void;
  /** Of the turn under way; -1 if it isn't watched. */
  #beganMs = -1;
  /** How long the turn before took; 0 if the loop has slept since. */
  #beforeMs = 0;
  #requests = 0;

  /** @param onEnd told of each turn that a request came in, and of those that a long one has delayed */
  constructor(onEnd: (nowMs: number, tookMs: number) => void, clock: LoopClock) {
    this.#onEnd = onEnd;
    this.#clock = clock;
  }

  /** How many requests this turn has brought. */
  get requests(): number {
    return this.#requests;
  }

  /** How long the turn has taken so far. */
  tookMs(nowMs: number): number {
    return nowMs - this.#beganMs;
  }

  /** A request has come: how long it has waited at most, in milliseconds, unless its connection was new. */
  arrive(nowMs: number): number {
    this.#requests += 1;
    if (this.#beganMs === -1) this.#watch(nowMs, 0);
    return nowMs - this.#beganMs + this.#beforeMs;
  }

  /**
   * The loop is at work for a request that has come before: what it takes from now on is this turn's, if nothing has
   * come in it.
   */
  works(): void {
    if (this.#beganMs === -1) this.#watch(this.#clock.nowMs(), 0);
  }

  #watch(nowMs: number, beforeMs: number): void {
    this.#beganMs = nowMs;
    this.#beforeMs = beforeMs;
    this.#clock.atEnd(this.#ended);
  }

  readonly #ended = (): void => {
    const nowMs = this.#clock.nowMs();
    const tookMs = nowMs - this.#beganMs;
    this.#beganMs = -1;
    this.#requests = 0;
    // Before the next looks for what has arrived, which takes no time then.
    if (tookMs > shortMs) this.#watch(nowMs, tookMs);
    this.#onEnd(nowMs, tookMs);
  };
}

/**
 * When a worker leaves a socket that all workers share to the others. A connection wakes all of them, and Bun takes all
 * that waits at once: one worker would get a whole burst, and keep it, since a proxy's connections stay with whom they
 * have met. So whoever is ahead of the one with the fewest lets the others take, turn by turn, as long as they do take,
 * or nothing waits; nobody waits for others who can't. Pure.
 */

/** How a worker stands beside the others that serve. */
export interface Standing {
  /** How many connections it has more than the one with the fewest; 0 if it has the fewest, or is alone. */
  readonly ahead: number;
  /** How many connections the others have accepted so far. */
  readonly others: number;
}

/** How long the others get before one looks whether they take. */
export const turnMs = 1;

/** What a worker takes at most before it looks again. */
const mostAtATime = 64;

/** After so long without a connection, the next one begins another burst. */
const burstGapMs = 50;

/** Turns of a burst that end with connections still waiting, before workers take more at a time, level or not. */
const patientTurns = 8;

/** Turns in which connections wait and nobody takes any: others may want for CPU. */
const idleTurns = 2;

/** So far ahead it stands back also when nothing waits: which of them wakes first is no chance. */
const aheadAtRest = 2;

/** It does so only where connections come one by one, further apart than this. */
const restGapMs = 5;

/**
 * The turns of one that stands back while nothing waits: what comes then may find nobody else able to take it. So many that
 * a few connections a second reach the others, and not for ever: timers keep a worker awake.
 */
const restTurnsMs: readonly number[] = [1, 2, 4, ...Array.from({ length: 24 }, () => 8)];

export class AcceptShare {
  /** How many it takes before it looks again. */
  #share = 1;
  #taken = 0;
  #takenAtMs = Number.NEGATIVE_INFINITY;
  #patience = patientTurns;
  #idle = 0;
  /** It has begun to stand back when nothing waited. */
  #atRest = false;
  #restTurns = 0;
  #others = 0;

  /** A connection is accepted. True: the worker stands back for turnMs, and then asks next(). */
  standsBack({ ahead, others }: Standing, waiting: () => boolean, nowMs: number): boolean {
    const gapMs = nowMs - this.#takenAtMs;
    this.#takenAtMs = nowMs;
    if (gapMs > burstGapMs) {
      // A share that was right in one burst says nothing about the next.
      this.#share = 1;
      this.#taken = 0;
      this.#patience = patientTurns;
    }
    this.#taken += 1;
    if (ahead <= 0 || this.#taken < this.#share) return false;
    this.#taken = 0;
    this.#atRest = !waiting();
    if (this.#atRest) {
      this.#share = Math.ceil(this.#share / 2);
      if (ahead < aheadAtRest || gapMs < restGapMs) return false;
    }
    this.#idle = 0;
    this.#restTurns = 0;
    this.#others = others;
    return true;
  }

  /** A turn is over. Answers how long it stands back still, in milliseconds; 0: it takes what comes. */
  next({ ahead, others }: Standing, waiting: boolean): number {
    const took = others !== this.#others;
    this.#others = others;
    if (!waiting) {
      this.#share = Math.ceil(this.#share / 2);
      if (!this.#atRest || ahead < aheadAtRest) return 0;
      return restTurnsMs[this.#restTurns++] ?? 0;
    }
    this.#patience -= 1;
    this.#idle = took ? 0 : this.#idle + 1;
    if (this.#patience > 0 && ahead <= 0) return 0;
    if (this.#patience > 0 && this.#idle < idleTurns) return turnMs;
    // They leave some: more than they can take.
    this.#share = Math.min(this.#share * 2, mostAtATime);
    return 0;
  }
}

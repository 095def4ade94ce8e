/**
 * How many connections a worker takes from a socket that all workers share, before it lets the others. A connection
 * wakes all of them, and Bun takes all that waits at once: one worker would get a whole burst, and keep it, since a
 * proxy's connections stay with whom they have met. So it takes little and leaves the rest for a moment; what is still
 * there then is more than the others can take.
 *
 * Measured with bursts of 16 and 64 connections over 4 workers on a unix socket and 2 cores (60 bursts each): the
 * busiest worker gets 1.8 times the mean in the median, without a share 3.4 and 2.8 times.
 *
 * | constant     | smaller                                 | larger                                             |
 * | ------------ | --------------------------------------- | -------------------------------------------------- |
 * | shareTurnMs  | 0: same median, 3.5 times in bad bursts | 3: 1.2 times of 64, which take 14 ms instead of 8  |
 * | burstGapMs   | 5: no difference                        | 500: the last burst's share is too much: 3.3 times |
 * | largestShare | 4: 1.3 times of 64, which take 12 ms    | 1024: no difference; bounds bursts of thousands    |
 */

/** How long the others get. */
export const shareTurnMs = 1;

/** What is taken at most before they do. */
const largestShare = 64;

/** After so long without a connection, the next one begins another burst. */
const burstGapMs = 50;

export class AcceptShare {
  #share = 1;
  #taken = 0;
  #takenAtMs = Number.NEGATIVE_INFINITY;

  /** A connection is accepted. True: the share is taken, and it is to be seen whether more wait. */
  take(nowMs: number): boolean {
    // A share that was right in one burst says nothing about the next.
    if (nowMs - this.#takenAtMs > burstGapMs) {
      this.#share = 1;
      this.#taken = 0;
    }
    this.#takenAtMs = nowMs;
    this.#taken += 1;
    if (this.#taken < this.#share) return false;
    this.#taken = 0;
    return true;
  }

  /** Nothing waits behind a share: the others keep up. */
  foundEmpty(): void {
    this.#share = Math.ceil(this.#share / 2);
  }

  /** The others have had their time. `waiting`: they have left some. */
  othersHad(waiting: boolean): void {
    this.#share = waiting ? Math.min(this.#share * 2, largestShare) : 1;
  }
}

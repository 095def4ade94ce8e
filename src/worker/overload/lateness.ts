/**
 * How late the event loop is while something comes: a timer that is due sees when it is called. Timers that are due each
 * 20 ms see what blocks the loop for longer than that; while nothing comes, nobody is kept awake.
 */

const probeMs = 20;

/** What timers are late by on a loop that has nothing else to do. */
const ordinaryMs = 2;

/** How much of what was is kept with each new figure, four a second. */
const keptPart = 0.6;

/** The same while nothing comes, and blocks are seen by luck only: what keeps others away is remembered for seconds. */
const keptAtRest = 0.95;

export interface Clock {
  nowMs(): number;
  after(ms: number, call: () => void): void;
}

const clockOfLoop: Clock = {
  nowMs: () => performance.now(),
  after: (ms, call) => void setTimeout(call, ms),
};

export class Lateness {
  readonly #clock: Clock;
  #sinceMs: number;
  #lateMs = 0;
  #part = 0;
  /** Timers are due until the next heartbeat. */
  #probing = false;
  #pending = false;

  constructor(clock: Clock = clockOfLoop) {
    this.#clock = clock;
    this.#sinceMs = clock.nowMs();
  }

  /**
   * With each heartbeat. Answers the part of the last seconds in which the loop was late, 0 to 1.
   * @param lateMs by how much the heartbeat was late
   * @param active something has come since the last one: the loop is looked at more closely until the next
   */
  beat(lateMs: number, active: boolean): number {
    const nowMs = this.#clock.nowMs();
    const elapsedMs = nowMs - this.#sinceMs;
    const late = this.#probing ? this.#lateMs : Math.max(0, lateMs - ordinaryMs);
    const kept = this.#probing ? keptPart : keptAtRest;
    if (elapsedMs > 0) this.#part = this.#part * kept + Math.min(1, late / elapsedMs) * (1 - kept);
    this.#lateMs = 0;
    this.#sinceMs = nowMs;
    this.#probing = active;
    if (active && !this.#pending) this.#probe();
    return this.#part;
  }

  #probe(): void {
    const dueMs = this.#clock.nowMs() + probeMs;
    this.#pending = true;
    this.#clock.after(probeMs, () => {
      this.#lateMs += Math.max(0, this.#clock.nowMs() - dueMs - ordinaryMs);
      this.#pending = false;
      if (this.#probing) this.#probe();
    });
  }
}

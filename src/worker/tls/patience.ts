import type { DeadlineTicks } from "../connection/deadlines.ts";

/** How long a client has, in ticks of the connections' clock, until it speaks HTTP: as long as for a request's head. */
export class Patience {
  readonly #times: Pick<DeadlineTicks, "headTicks" | "keepAliveTicks" | "lingerTicks">;
  /** 0: for ever. */
  #left: number;
  #short = false;

  constructor(times: Pick<DeadlineTicks, "headTicks" | "keepAliveTicks" | "lingerTicks">) {
    this.#times = times;
    this.#left = times.headTicks;
  }

  /** One step of the clock. Answers, once, by which setting it ends with it. */
  expired(): "header_timeout" | "keepalive" | null {
    if (this.#left === 0 || --this.#left > 0) return null;
    return this.#short ? "keepalive" : "header_timeout";
  }

  /** The worker leaves: who has been accepted is served, but isn't waited for longer than an idle client. */
  shorten(): void {
    const { keepAliveTicks, lingerTicks } = this.#times;
    const most = Math.max(keepAliveTicks, lingerTicks);
    if (this.#left !== 0 && this.#left <= most) return;
    this.#left = most;
    this.#short = true;
  }
}

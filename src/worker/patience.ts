/**
 * How long a connection goes on waiting, in ticks of the service's clock; 0 is for ever. Ticks are
 * counted, not measured: while the event loop is blocked, nobody's time runs out.
 */
export interface PatienceTicks {
  readonly headTicks: number;
  readonly bodyTicks: number;
  readonly writeTicks: number;
  readonly keepAliveTicks: number;
  readonly lingerTicks: number;
}

/** What a connection waited for in vain, by the name of the setting, where there is one. */
export type Spent =
  | "header_timeout"
  | "body_timeout"
  | "write_timeout"
  | "keepalive"
  | "server.timeout()"
  | "lingering close";

export class Patience {
  readonly #times: PatienceTicks;
  /** For the client to send, or to close. */
  #receiving: number;
  /** For the client to take what is written. */
  #writing = 0;
  #inHead = false;
  /** What runs out with #receiving. */
  #waitsBy: Spent = "header_timeout";

  constructor(times: PatienceTicks) {
    this.#times = times;
    this.#receiving = times.headTicks;
  }

  /** One step. Answers which patience has run out, if any. */
  tick(): Spent | null {
    if (this.#writing > 0 && --this.#writing === 0) return "write_timeout";
    if (this.#receiving > 0 && --this.#receiving === 0) return this.#waitsBy;
    return null;
  }

  /** Bytes of a head have come: the whole head has its time from the first on. */
  headArrives(): void {
    if (this.#inHead) return;
    this.#inHead = true;
    this.#receiving = this.#times.headTicks;
    this.#waitsBy = "header_timeout";
  }

  /** Bytes of a body may come: each starts the time anew, but none runs while the app itself doesn't read. */
  bodyArrives(paused: boolean): void {
    this.#receiving = paused ? 0 : this.#times.bodyTicks;
    this.#waitsBy = "body_timeout";
  }

  /** The request has come: from here the app takes as long as it likes, or `ticks`. */
  requestComplete(ticks = 0): void {
    this.#inHead = false;
    this.#receiving = ticks;
    this.#waitsBy = "server.timeout()";
  }

  /** Between two requests. */
  idles(): void {
    this.#receiving = this.#times.keepAliveTicks;
    this.#waitsBy = "keepalive";
  }

  /** The worker leaves: nobody idles longer than keepalive. */
  idlesBriefly(): void {
    const left = this.#receiving === 0 ? Number.POSITIVE_INFINITY : this.#receiving;
    this.#receiving = Math.max(1, Math.min(left, this.#times.keepAliveTicks));
    this.#waitsBy = "keepalive";
  }

  /** The last answer is out. */
  lingers(): void {
    this.#receiving = this.#times.lingerTicks;
    this.#waitsBy = "lingering close";
  }

  /** The client has taken bytes, but not all. */
  writeMoves(): void {
    this.#writing = this.#times.writeTicks;
  }

  /** After a write: whether something is left that the client must take. */
  writes(left: boolean): void {
    if (!left) this.#writing = 0;
    else if (this.#writing === 0) this.#writing = this.#times.writeTicks;
  }
}

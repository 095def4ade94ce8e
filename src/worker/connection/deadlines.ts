/**
 * How long a connection goes on waiting, in ticks of the connections' clock; 0 is for ever. Ticks are counted, not
 * measured: while the event loop is blocked, nobody's time runs out.
 *
 * | state          | what runs out                | setting                      | what starts it anew, or stops it |
 * | -------------- | ---------------------------- | ---------------------------- | -------------------------------- |
 * | head           | the whole head's time        | header_timeout               | nothing; the head's end stops it |
 * | body           | the time between two bytes   | body_timeout                 | a byte; stops while nobody reads |
 * | app            | nothing                      | server.timeout(), if called  | the end of the answer stops it   |
 * | output pending | the time between two bytes   | write_timeout                | a byte that the client takes     |
 * | idle           | the time to the next request | keepalive                    | a byte of a request stops it     |
 * | after FIN      | the app's silence            | asgi_disconnect_grace_period | the app's next byte              |
 * | linger         | the time to the client's FIN | none: 2 seconds              | nothing                          |
 *
 * Output is pending until the kernel has taken the last byte, in lingering until the client has. As long as it is, no
 * other clock runs but the app's own: whoever has an answer to take isn't idle, and what he sends may not be read.
 */
import type { Wire } from "./wire.ts";

/** Deadlines from the settings; 0 is for ever. */
export interface DeadlineTicks {
  readonly headTicks: number;
  readonly bodyTicks: number;
  readonly writeTicks: number;
  readonly keepAliveTicks: number;
  readonly lingerTicks: number;
  /** 0: at once, so that the next tick is the last. */
  readonly graceTicks: number;
  readonly probe: SocketProbe;
}

/** What the kernel knows of a socket: os/send-queue.ts says it. */
export interface SocketProbe {
  /** Bytes that are written and that the client hasn't taken, FIN counting as one; -1 if nobody knows. */
  unsentBytes(fd: number): number;
  /** The client has sent FIN, though bytes before it may wait to be read. */
  peerHasEnded(fd: number): boolean;
}

/** What FIN counts in the kernel's figure. */
const finBytes = 1;

/** What a connection waited for in vain, by the name of the setting, where there is one. */
export type Expired =
  | "header_timeout"
  | "body_timeout"
  | "write_timeout"
  | "keepalive"
  | "asgi_disconnect_grace_period"
  | "server.timeout()"
  | "lingering close";

export class Deadlines {
  readonly #times: DeadlineTicks;
  readonly #wire: Pick<Wire, "fd">;
  /** The time for the client to send, or to close. */
  #receiving: number;
  /** What expires with #receiving. */
  #waitsBy: Expired = "header_timeout";
  #inHead = false;
  /** The time for the app to answer, by its own word. */
  #answering = 0;
  /** The time for the app to write something to a client that has sent FIN. */
  #leaving = 0;
  /** The client has sent FIN, and may be gone. */
  #quiet = false;
  #lingering = false;
  /** The client has bytes to take. */
  #pending = false;
  /** The time for the client to take some of them. */
  #writing = 0;
  /** How many of them the kernel held at the last tick; -1 if that isn't known. */
  #held = -1;

  constructor(times: DeadlineTicks, wire: Pick<Wire, "fd">) {
    this.#times = times;
    this.#wire = wire;
    this.#receiving = times.headTicks;
  }

  /** Bytes that the kernel has taken and the client hasn't; -1 if nobody knows. */
  get heldBytes(): number {
    return this.#times.probe.unsentBytes(this.#wire.fd);
  }

  /** The client has sent FIN, which clientQuiet() hasn't been told yet. */
  get clientHasEnded(): boolean {
    return !this.#quiet && this.#times.probe.peerHasEnded(this.#wire.fd);
  }

  /** Makes one step. Answers which deadline has run out, if any. */
  tick(): Expired | null {
    if (this.#answering > 0 && --this.#answering === 0) return "server.timeout()";
    const held = this.#pending ? this.heldBytes : -1;
    if (this.#lingering) this.#pending = held > finBytes;
    if (this.#pending) {
      // The socket says that it takes bytes again when a third of its buffer is free: megabytes, for a slow client
      // minutes.
      const moves = held !== -1 && held < this.#held;
      this.#held = held;
      if (moves) this.#writing = this.#times.writeTicks;
      else if (this.#writing > 0 && --this.#writing === 0) return "write_timeout";
      return null;
    }
    if (this.#leaving > 0 && --this.#leaving === 0) return "asgi_disconnect_grace_period";
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

  /** The request has come, its body apart: from here the app takes as long as it likes. */
  requestComplete(): void {
    this.#inHead = false;
    this.#receiving = 0;
    this.appWrites();
  }

  /** The app limits its own time; 0: no limit. */
  answersWithin(ticks: number): void {
    this.#answering = ticks;
  }

  /** Nothing more comes of the app: its own clocks stop. */
  answered(): void {
    this.#answering = 0;
    this.#leaving = 0;
  }

  /**
   * The client sends nothing more, and may have left. `asked`: the app has an answer to give. True if it has no time
   * to.
   */
  clientQuiet(asked: boolean): boolean {
    this.#quiet = true;
    if (asked) this.appWrites();
    return asked && this.#times.graceTicks === 0;
  }

  /** The app writes: to a client that may have left, it has a while from here on to write again. */
  appWrites(): void {
    if (this.#quiet) this.#leaving = Math.max(1, this.#times.graceTicks);
  }

  /** The connection idles between two requests. */
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

  /**
   * FIN is out behind the last answer. Closing resets the connection if unread bytes are there or come, and destroys
   * what the kernel holds of the answer: the time begins when the client has all of it.
   */
  lingers(): void {
    this.writes(true);
    this.#lingering = true;
    this.#receiving = this.#times.lingerTicks;
    this.#waitsBy = "lingering close";
  }

  /** The client has taken bytes, but not all. */
  writeMoves(): void {
    this.#writing = this.#times.writeTicks;
  }

  /** Whether something is left that the client must take. */
  writes(left: boolean): void {
    if (left && !this.#pending) {
      this.#writing = this.#times.writeTicks;
      this.#held = -1;
    }
    this.#pending = left;
  }
}

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

/** What the kernel knows of a socket: os/sockets/send-queue.ts says it. */
export interface SocketProbe {
  /** Bytes that are written and that the client hasn't taken, FIN counting as one; -1 if nobody knows. */
  unsentBytes(fd: number): number;
  /** The client has sent FIN, though bytes before it may wait to be read. */
  peerHasEnded(fd: number): boolean;
  /** Bytes that have come and nobody has read; -1 if nobody knows. */
  unreadBytes(fd: number): number;
}

/** What the time to receive is for. */
const firstHead = 0;
const head = 1;
const body = 2;
const answer = 3;
const nextRequest = 4;
const lastFin = 5;

/** What has expired by then; while the app answers, nothing can. */
const expiredBy: readonly Expired[] = [
  "header_timeout",
  "header_timeout",
  "body_timeout",
  "header_timeout",
  "keepalive",
  "lingering close",
];

/** In #leaving: the client hasn't sent FIN. */
const staying = -1;

/** In #held: the client has all that was written. */
const nothing = -2;
const unknown = -1;

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
  #receivingFor:
    | typeof firstHead
    | typeof head
    | typeof body
    | typeof answer
    | typeof nextRequest
    | typeof lastFin = firstHead;
  /** The time for the app to answer, by its own word. */
  #answering = 0;
  /** The time for the app to write something to a client that has sent FIN, and may be gone. */
  #leaving = staying;
  /** The time for the client to take some of what is pending. */
  #writing = 0;
  /** How much of that the kernel held at the last tick. */
  #held = nothing;

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
    return this.#leaving === staying && this.#times.probe.peerHasEnded(this.#wire.fd);
  }

  /** Makes one step. Answers which deadline has run out, if any. */
  tick(): Expired | null {
    if (this.#answering > 0 && --this.#answering === 0) return "server.timeout()";
    if (this.#held !== nothing) {
      const held = this.heldBytes;
      if (this.#receivingFor === lastFin && held <= finBytes) this.#held = nothing;
      else return this.#tickWriting(held);
    }
    if (this.#leaving > 0 && --this.#leaving === 0) return "asgi_disconnect_grace_period";
    if (this.#receiving > 0 && --this.#receiving === 0) {
      return expiredBy[this.#receivingFor] as Expired;
    }
    return null;
  }

  /** `held`: how many bytes the kernel holds now. */
  #tickWriting(held: number): Expired | null {
    // The socket says that it takes bytes again when a third of its buffer is free: megabytes, for a slow client
    // minutes.
    const moves = held !== unknown && held < this.#held;
    this.#held = held;
    if (moves) this.#writing = this.#times.writeTicks;
    else if (this.#writing > 0 && --this.#writing === 0) return "write_timeout";
    return null;
  }

  /** Bytes of a head have come: the whole head has its time from the first on. */
  headArrives(): void {
    if (this.#receivingFor === head) return;
    this.#receiving = this.#times.headTicks;
    this.#receivingFor = head;
  }

  /** Bytes of a body may come: each starts the time anew, but none runs while the app itself doesn't read. */
  bodyArrives(paused: boolean): void {
    this.#receiving = paused ? 0 : this.#times.bodyTicks;
    this.#receivingFor = body;
  }

  /** The request has come, its body apart: from here the app takes as long as it likes. */
  requestComplete(): void {
    this.#receiving = 0;
    this.#receivingFor = answer;
    this.appWrites();
  }

  /** The app limits its own time; 0: no limit. */
  answersWithin(ticks: number): void {
    this.#answering = ticks;
  }

  /** Nothing more comes of the app: its own clocks stop. */
  answered(): void {
    this.#answering = 0;
    if (this.#leaving > 0) this.#leaving = 0;
  }

  /**
   * The client sends nothing more, and may have left. `asked`: the app has an answer to give. True if it has no time
   * to.
   */
  clientQuiet(asked: boolean): boolean {
    if (this.#leaving === staying) this.#leaving = 0;
    if (asked) this.appWrites();
    return asked && this.#times.graceTicks === 0;
  }

  /** The app writes: to a client that may have left, it has a while from here on to write again. */
  appWrites(): void {
    if (this.#leaving !== staying) this.#leaving = Math.max(1, this.#times.graceTicks);
  }

  /** The connection idles between two requests, for so long at most. */
  idles(ticks = this.#times.keepAliveTicks): void {
    this.#receiving = ticks;
    this.#receivingFor = nextRequest;
  }

  /** Until keepalive expires; null: the connection hasn't idled for a whole step of the clock. */
  get idleTicksLeft(): number | null {
    const ticks = this.#receiving;
    if (this.#receivingFor !== nextRequest || this.#held !== nothing) return null;
    if (ticks === 0) return 0;
    return ticks < this.#times.keepAliveTicks - 1 ? ticks : null;
  }

  /** The worker leaves: nobody idles longer than keepalive. */
  idlesBriefly(): void {
    const left = this.#receiving === 0 ? Number.POSITIVE_INFINITY : this.#receiving;
    this.#receiving = Math.max(1, Math.min(left, this.#times.keepAliveTicks));
    this.#receivingFor = nextRequest;
  }

  /**
   * FIN is out behind the last answer. Closing resets the connection if unread bytes are there or come, and destroys
   * what the kernel holds of the answer: the time begins when the client has all of it.
   */
  lingers(): void {
    this.writes(true);
    this.#receiving = this.#times.lingerTicks;
    this.#receivingFor = lastFin;
  }

  /** The client has taken bytes, but not all. */
  writeMoves(): void {
    this.#writing = this.#times.writeTicks;
  }

  /** Whether something is left that the client must take. */
  writes(left: boolean): void {
    if (!left) this.#held = nothing;
    else if (this.#held === nothing) {
      this.#writing = this.#times.writeTicks;
      this.#held = unknown;
    }
  }
}

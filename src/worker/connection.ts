/**
 * One connection: bytes in, one exchange after another, bytes out.
 *
 * Invariants: no byte of a later request is parsed while an answer is under way (what arrives is held, and
 * reading pauses above a mark), so answers leave in order; after an error in the framing nothing more is
 * parsed. A connection has no timer of its own: the service counts its ticks down.
 */
import { ChunkedDecoder } from "../http/chunked.ts";
import { httpDate } from "../http/date.ts";
import { errors, type ParseErrorName } from "../http/errors.ts";
import { frame } from "../http/framing.ts";
import { RequestParser } from "../http/parser.ts";
import { judgeExpectation } from "../http/policy.ts";
import { encodeFixed } from "../http/response.ts";
import { errorPage } from "../http/response-error-page.ts";
import { OutputBuffer } from "../http/response-output.ts";
import { Exchange, type Line } from "./exchange.ts";
import type { Entrance } from "./service.ts";

/** What a connection needs of a socket: Bun's own has it. */
export interface Wire {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly remoteFamily: "IPv4" | "IPv6";
  /** How many bytes it took; below 0 when it is closed. */
  write(data: string | Uint8Array): number;
  /** Sends FIN; the client may go on sending. */
  shutdown(): void;
  end(): void;
  pause(): void;
  resume(): void;
}

/** What the next byte belongs to. */
const inHead = 0;
const inLengthBody = 1;
const inChunkedBody = 2;
/** The request has been read, its answer isn't out: what comes is held. */
const answering = 3;
/** The last answer is out: what comes is read and dropped, since a reset would destroy the answer (RFC 9112 §9.6). */
const lingering = 4;
const over = 5;

/** Above so many held bytes reading pauses; above so many unwritten ones parsing does. */
const highWaterBytes = 65_536;

const noBytes = Buffer.alloc(0);

export class Connection implements Line {
  readonly entrance: Entrance;
  readonly output = new OutputBuffer();
  readonly #wire: Wire;
  readonly #parser: RequestParser;
  #stage = inHead;
  /** Until the connection has waited too long; 0: no limit. */
  #ticks: number;
  #exchange: Exchange | null = null;
  #bodyLeft = 0;
  #chunked: ChunkedDecoder | null = null;
  /** Received, not parsed. */
  #held: Buffer = noBytes;
  #pausedByBody = false;
  #paused = false;
  /** #goOn() is at work. */
  #advancing = false;
  /** The patience for the head that is arriving counts already. */
  #headClock = false;
  /** Close when `output` is written. */
  #ending = false;

  constructor(wire: Wire, entrance: Entrance) {
    this.#wire = wire;
    this.entrance = entrance;
    this.#parser = new RequestParser(entrance.service.limits);
    this.#ticks = entrance.service.headTicks;
  }

  get wire(): Wire {
    return this.#wire;
  }

  get gone(): boolean {
    return this.#stage === over;
  }

  /** Nothing of a request has arrived, and no answer is under way. */
  get #idle(): boolean {
    return this.#stage === inHead && this.#parser.idle;
  }

  // What the socket says

  receive(bytes: Buffer): void {
    if (this.#stage === lingering) return;
    if (this.#stage === answering || this.#held.length > 0) return this.#hold(bytes);
    this.#advance(bytes);
    this.flush();
  }

  /** The socket takes bytes again. */
  drained(): void {
    if (!this.flush()) return;
    this.#exchange?.drained();
    this.#goOn();
  }

  /** The client sends nothing more; it may still read. */
  clientEnded(): void {
    const exchange = this.#exchange;
    if (this.#stage >= lingering || exchange === null) return this.#close();
    this.#ending = true;
    this.#held = noBytes;
    exchange.abort();
    if (exchange.done) return this.#close();
    this.#stage = answering;
    if (!exchange.dispatched) exchange.dispatch();
    this.flush();
  }

  /** The socket has closed, by whatever cause. */
  closed(): void {
    this.#stage = over;
    this.#ticks = 0;
    this.#held = noBytes;
    this.output.clear();
    this.#exchange?.abort();
  }

  /** One step of the service's clock. */
  tick(): void {
    if (this.#ticks === 0 || --this.#ticks > 0) return;
    if (this.#stage !== inHead || this.#idle) return this.#close();
    this.#refuseWith(408, "The request head took too long");
    this.flush();
  }

  /** The worker leaves: an idle client has until keepalive expires to send one more request. */
  drain(): void {
    const { keepAliveTicks } = this.entrance.service;
    if (this.#idle) this.#ticks = Math.max(1, Math.min(this.#ticks, keepAliveTicks));
  }

  /** For server.timeout(): closes the connection if its answer isn't out after so many ticks; 0: no limit. */
  limitAnswer(ticks: number): void {
    if (this.#exchange?.done === false) this.#ticks = ticks;
  }

  // What the exchange needs

  flush(): boolean {
    if (this.#stage === over) return false;
    const empty = this.output.writeTo(this.#wire);
    if (empty && this.#ending && this.#exchange === null) this.#linger();
    this.#steerReading();
    return empty;
  }

  pauseForBody(pause: boolean): void {
    this.#pausedByBody = pause;
    this.#steerReading();
  }

  bodyMissing(): number {
    if (this.#stage === inChunkedBody) return Number.POSITIVE_INFINITY;
    return this.#stage === inLengthBody ? this.#bodyLeft : 0;
  }

  finished(persistent: boolean): void {
    if (!persistent) this.#ending = true;
    if (this.#stage === over) return;
    const reading = this.#stage === inLengthBody || this.#stage === inChunkedBody;
    // The rest of the body is read first, unless the connection ends anyway.
    if (reading && !this.#ending) return;
    this.#next();
  }

  // Reading

  #advance(bytes: Buffer): void {
    const end = bytes.length;
    let at = 0;
    while (at < end) {
      switch (this.#stage) {
        case inHead: {
          // A client that sends but doesn't read gets no more answers until it does.
          if (this.output.byteLength > highWaterBytes && !this.flush()) {
            return this.#hold(bytes.subarray(at));
          }
          const step = this.#parser.feed(bytes, at, end);
          at = this.#parser.consumed;
          if (step === "need more") {
            this.#startHeadClock();
            return;
          }
          if (step !== "head") return this.#refuse(step);
          this.#begin();
          break;
        }
        case inLengthBody: {
          const take = Math.min(this.#bodyLeft, end - at);
          this.#exchange?.body?.push(bytes.subarray(at, at + take));
          this.#bodyLeft -= take;
          at += take;
          if (this.#bodyLeft === 0) this.#bodyComplete();
          break;
        }
        case inChunkedBody:
          at = this.#feedChunked(bytes, at, end);
          break;
        case answering:
          return this.#hold(bytes.subarray(at));
        default:
          return;
      }
    }
    // A body that came in part: the app may read what is there, and wait for the rest.
    if (this.#exchange?.dispatched === false) this.#exchange.dispatch();
  }

  /** An idle connection's patience ends with the first byte of a head; from there the head's own counts, once. */
  #startHeadClock(): void {
    if (this.#headClock || this.#parser.idle) return;
    this.#headClock = true;
    this.#ticks = this.entrance.service.headTicks;
  }

  #feedChunked(bytes: Buffer, start: number, end: number): number {
    const decoder = this.#chunked as ChunkedDecoder;
    const step = decoder.feed(bytes, start, end);
    if (step === "data") {
      this.#exchange?.body?.push(bytes.subarray(decoder.dataStart, decoder.dataEnd));
    } else if (step === "end") {
      this.#bodyComplete();
    } else if (step !== "need more") {
      this.#bodyBroken(step);
      return end;
    }
    return decoder.consumed;
  }

  /** A head is complete: what follows it, and whether it is acceptable. */
  #begin(): void {
    const head = this.#parser.takeHead();
    this.#parser.reset();
    this.#headClock = false;
    this.#ticks = 0;
    const framing = frame(head);
    const expectation = judgeExpectation(head.expectation, head.versionMinor);
    if (expectation !== "none" && expectation !== "continue") return this.#refuse(expectation);
    switch (framing) {
      case "none":
        this.#stage = answering;
        break;
      case "length":
        this.#stage = inLengthBody;
        this.#bodyLeft = head.contentLength;
        break;
      case "chunked":
        this.#stage = inChunkedBody;
        this.#chunked = new ChunkedDecoder(this.entrance.service.limits);
        break;
      default:
        return this.#refuse(framing);
    }
    const exchange = new Exchange(this, head, framing !== "none", expectation === "continue");
    this.#exchange = exchange;
    if (framing === "none") exchange.dispatch();
  }

  #bodyComplete(): void {
    const exchange = this.#exchange as Exchange;
    this.#chunked = null;
    this.#stage = answering;
    exchange.body?.end();
    if (!exchange.dispatched) exchange.dispatch();
    else if (exchange.done) this.#next();
  }

  /** A bad chunk: the client gets its status if the app hasn't been asked; else the app's read fails. */
  #bodyBroken(name: ParseErrorName): void {
    const exchange = this.#exchange as Exchange;
    if (!exchange.dispatched) return this.#refuse(name);
    this.#logRefusal(name);
    this.#ending = true;
    this.#stage = answering;
    exchange.body?.fail(new Error(errors[name].text));
    if (exchange.done) this.#next();
  }

  /** After an exchange: the next request, or the end. */
  #next(): void {
    this.#exchange = null;
    if (this.#ending) {
      this.#stage = answering;
      this.#held = noBytes;
      return;
    }
    this.#stage = inHead;
    this.#ticks = this.entrance.service.keepAliveTicks;
    this.#goOn();
  }

  /** Parses what was held, once nothing is in the way. */
  #goOn(): void {
    if (this.#held.length === 0 || this.#stage !== inHead || this.#advancing) return;
    this.#advancing = true;
    while (this.#held.length > 0 && this.#stage === inHead) {
      const held = this.#held;
      this.#held = noBytes;
      this.#advance(held);
    }
    this.#advancing = false;
    this.flush();
  }

  #hold(bytes: Buffer): void {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    this.#steerReading();
  }

  #steerReading(): void {
    const pause =
      this.#pausedByBody ||
      this.#held.length > highWaterBytes ||
      (this.output.byteLength > highWaterBytes && this.#stage === inHead);
    if (pause === this.#paused || this.#stage === over) return;
    this.#paused = pause;
    if (pause) this.#wire.pause();
    else this.#wire.resume();
  }

  // Refusing and closing

  #refuse(name: ParseErrorName): void {
    const { status, text } = errors[name];
    this.#logRefusal(name);
    this.#refuseWith(status, text);
  }

  /** Answers and ends the connection: what follows in it can't be trusted. */
  #refuseWith(status: number, message: string): void {
    const page = errorPage(status, message, {
      head: false,
      versionMinor: 1,
      keepAlive: false,
      date: httpDate(Date.now()),
    });
    encodeFixed(page, this.output);
    this.#ending = true;
    this.#stage = answering;
    this.#exchange = null;
    this.#held = noBytes;
  }

  #logRefusal(name: ParseErrorName): void {
    const { level, text } = errors[name];
    this.entrance.service.log[level](
      `Invalid request from ip=${this.#wire.remoteAddress}: ${text}`,
    );
  }

  /** Sends FIN behind the last answer, and waits a little for the client's. */
  #linger(): void {
    if (this.#stage >= lingering) return;
    this.#stage = lingering;
    this.#ticks = this.entrance.service.lingerTicks;
    this.#pausedByBody = false;
    this.#wire.shutdown();
  }

  #close(): void {
    if (this.#stage !== over) this.#wire.end();
  }
}

/**
 * One connection: bytes in, one exchange after another, bytes out.
 *
 * Invariants: no byte of a later request is parsed while an answer is under way (what arrives is held, and
 * reading pauses above a mark), so answers leave in order; after an error in the framing nothing more is
 * parsed. A connection has no timer of its own: the service counts its ticks down.
 */
import type { ClientAddress } from "../app/server.ts";
import { httpDate } from "../http/date.ts";
import { errors, type RefusalName } from "../http/errors.ts";
import { MessageReader } from "../http/message-reader.ts";
import { encodeFixed } from "../http/response.ts";
import { errorPage } from "../http/response-error-page.ts";
import { OutputBuffer } from "../http/response-output.ts";
import { Exchange, type Line } from "./exchange.ts";
import { Inlet } from "./inlet.ts";
import { Patience, type Spent } from "./patience.ts";
import type { Entrance } from "./service.ts";
import type { Wire } from "./wire.ts";

/** What becomes of the next byte. */
const reading = 0;
/** The request has been read, its answer isn't out: what comes is held. */
const answering = 1;
/** The last answer is out: what comes is read and dropped, since a reset would destroy the answer (RFC 9112 §9.6). */
const lingering = 2;
const over = 3;

/** Above so many unwritten bytes nothing more is parsed. */
const highWaterBytes = 65_536;

export class Connection implements Line {
  readonly entrance: Entrance;
  readonly output = new OutputBuffer();
  /** The peer is in forwarded_allow_ips. */
  readonly trusted: boolean;
  readonly #wire: Wire;
  readonly #reader: MessageReader;
  #stage = reading;
  readonly #patience: Patience;
  #exchange: Exchange | null = null;
  readonly #inlet: Inlet;
  #pausedByBody = false;
  /** The socket has taken less than all. */
  #full = false;
  /** The client has sent FIN. */
  #clientDone = false;
  /** Close when `output` is written. */
  #ending = false;

  constructor(wire: Wire, entrance: Entrance) {
    this.#wire = wire;
    this.entrance = entrance;
    const { service } = entrance;
    this.#reader = new MessageReader(service.limits, service.parserOptions, service.maxBodyBytes);
    this.trusted = service.trusts(wire.remoteAddress);
    this.#reader.trusted = this.trusted;
    this.#patience = new Patience(service);
    this.#inlet = new Inlet(wire);
  }

  /** The client, as far as anybody knows. */
  get peer(): ClientAddress {
    const { remoteAddress: address, remoteFamily: family, remotePort: port } = this.#wire;
    return { address, family, port };
  }

  get gone(): boolean {
    return this.#stage === over;
  }

  /** Nothing of a request has arrived, and no answer is under way. */
  get #idle(): boolean {
    return this.#stage === reading && this.#reader.idle;
  }

  // What the socket says

  receive(bytes: Buffer): void {
    if (this.#stage === lingering) return;
    if (this.#stage === answering || !this.#inlet.empty) return this.#hold(bytes);
    this.#advance(bytes);
    this.flush();
  }

  /** The socket takes bytes again. */
  drained(): void {
    this.#patience.writeMoves();
    this.#full = false;
    if (!this.flush()) return;
    this.#exchange?.drained();
    this.#goOn();
  }

  /** The client sends nothing more; it may still read, so what it has asked for is answered. */
  clientEnded(): void {
    this.#clientDone = true;
    this.#exchange?.abort();
    // A body that will never be complete, or nothing that is left to answer.
    if (this.#stage === reading && this.#inlet.empty) this.#ending = true;
    if (this.#stage === lingering || this.#exchange?.done === true) return this.#close();
    this.flush();
  }

  /** The socket has closed, by whatever cause. */
  closed(): void {
    this.#stage = over;
    this.#inlet.take();
    this.output.clear();
    this.#exchange?.abort();
  }

  /** One step of the service's clock. */
  tick(): void {
    const spent = this.#patience.tick();
    if (spent === null) return;
    if (this.#stage === reading && spent === "body_timeout") return this.#tooSlow("body too slow");
    const inHead = this.#stage === reading && !this.#idle;
    if (inHead && spent === "header_timeout") return this.#tooSlow("head too slow");
    this.#cut(spent);
  }

  /** The worker leaves: an idle client has until keepalive expires to send one more request. */
  drain(): void {
    if (this.#idle) this.#patience.idlesBriefly();
  }

  /** For server.timeout(): closes the connection if its answer isn't out after so many ticks; 0: no limit. */
  limitAnswer(ticks: number): void {
    if (this.#exchange?.done === false) this.#patience.requestComplete(ticks);
  }

  // What the exchange needs

  flush(): boolean {
    if (this.#stage === over) return false;
    // Until the socket takes bytes again, a write would cost its time for nothing.
    const empty = !this.#full && this.output.writeTo(this.#wire);
    this.#full = !empty;
    this.#patience.writes(!empty);
    if (empty && this.#ending && this.#exchange === null) this.#linger();
    this.#steerReading();
    return empty;
  }

  pauseForBody(pause: boolean): void {
    this.#pausedByBody = pause;
    this.awaitBody();
    this.#steerReading();
  }

  awaitBody(): void {
    if (this.#stage === reading) this.#patience.bodyArrives(this.#pausedByBody);
  }

  bodyMissing(): number {
    return this.#reader.missing;
  }

  finished(persistent: boolean): void {
    if (!persistent) this.#ending = true;
    if (this.#stage === over) return;
    this.#pausedByBody = false;
    // The rest of the body is read first, unless the connection ends anyway.
    if (this.#reader.missing > 0 && !this.#ending) return;
    this.#next();
  }

  // Reading

  #advance(bytes: Buffer): void {
    const end = bytes.length;
    let at = 0;
    while (at < end && this.#stage === reading) {
      // A client that sends but doesn't read gets no more answers until it does.
      if (this.output.byteLength > highWaterBytes && !this.flush()) break;
      const step = this.#reader.read(bytes, at, end);
      at = this.#reader.consumed;
      if (step === "need more") {
        if (this.#exchange !== null) this.awaitBody();
        else if (!this.#reader.idle) this.#patience.headArrives();
      } else if (step === "head") this.#begin();
      else if (step === "end") this.#bodyComplete();
      else this.#broken(step);
    }
    // A body that came in part: the app may read what is there, and wait for the rest.
    if (this.#exchange?.dispatched === false) this.#exchange.dispatch();
    if (at < end && this.#stage <= answering && !this.#ending) this.#hold(bytes.subarray(at));
  }

  #begin(): void {
    const { head, hasBody, expectsContinue } = this.#reader;
    const exchange = new Exchange(this, head, hasBody, expectsContinue);
    this.#patience.requestComplete();
    this.#exchange = exchange;
    if (hasBody) {
      this.#reader.body = exchange.body;
      if (!expectsContinue) this.awaitBody();
    } else {
      this.#stage = answering;
      exchange.dispatch();
    }
  }

  #bodyComplete(): void {
    const exchange = this.#exchange as Exchange;
    this.#stage = answering;
    this.#patience.requestComplete();
    if (!exchange.dispatched) exchange.dispatch();
    else if (exchange.done) this.#next();
  }

  #tooSlow(name: RefusalName): void {
    this.#broken(name);
    this.flush();
  }

  /** The client gets its status, unless the app's answer is on the way already: then that ends the connection. */
  #broken(name: RefusalName): void {
    const exchange = this.#exchange;
    if (exchange === null || exchange.supersede(new Error(errors[name].text))) {
      return this.#refuse(name);
    }
    this.#logRefusal(name);
    this.#ending = true;
    this.#stage = answering;
    if (exchange.done) this.#next();
  }

  /** After an exchange: the next request, or the end. */
  #next(): void {
    this.#exchange = null;
    if (this.#clientDone && this.#inlet.empty) this.#ending = true;
    if (this.#ending) {
      this.#stage = answering;
      this.#inlet.take();
      return;
    }
    this.#stage = reading;
    this.#patience.idles();
    this.#goOn();
  }

  /** Parses what was held, once nothing is in the way. */
  #goOn(): void {
    if (this.#inlet.empty || this.#stage !== reading) return;
    this.#advance(this.#inlet.take());
    this.flush();
  }

  #hold(bytes: Buffer): void {
    this.#inlet.hold(bytes);
    this.#steerReading();
  }

  #steerReading(): void {
    if (this.#stage === over) return;
    const blocked = this.#stage === reading && this.output.byteLength > highWaterBytes;
    this.#inlet.steer(this.#pausedByBody || blocked);
  }

  // Refusing and closing

  /** Answers and ends the connection: what follows in it can't be trusted. */
  #refuse(name: RefusalName): void {
    const { status, text } = errors[name];
    this.#logRefusal(name);
    const page = errorPage(status, text, {
      head: false,
      versionMinor: 1,
      keepAlive: false,
      date: httpDate(Date.now()),
    });
    encodeFixed(page, this.output);
    this.#ending = true;
    this.#stage = answering;
    this.#exchange = null;
    this.#inlet.take();
  }

  #logRefusal(name: RefusalName): void {
    const { level, text } = errors[name];
    this.entrance.service.log[level](
      `Invalid request from ip=${this.#wire.remoteAddress}: ${text}`,
    );
  }

  /** Sends FIN behind the last answer, and waits a little for the client's. */
  #linger(): void {
    if (this.#stage >= lingering) return;
    this.#stage = lingering;
    this.#patience.lingers();
    this.#pausedByBody = false;
    if (this.#clientDone) this.#close();
    else this.#wire.shutdown();
  }

  /** The client took too long: nobody waits for it any more. */
  #cut(spent: Spent): void {
    this.entrance.service.log.debug(`Closing ip=${this.#wire.remoteAddress}: ${spent}`);
    // By a reset: the kernel would hold megabytes for a client that doesn't take them, for minutes.
    if (spent === "write_timeout") this.#wire.terminate();
    else this.#close();
  }

  #close(): void {
    if (this.#stage !== over) this.#wire.end();
  }
}

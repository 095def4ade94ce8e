/**
 * One connection: bytes in, one exchange after another, bytes out.
 *
 * Invariants: no byte of a later request is parsed while an answer is under way (what arrives is held, and reading pauses
 * above a mark), so answers leave in order; after an error in the framing nothing more is parsed. It has no timer of its own.
 */
import { errors, type RefusalName } from "../../http/errors.ts";
import type { MessageReader } from "../../http/message/message-reader.ts";
import type { OutputBuffer } from "../../http/response/output.ts";
import { Exchange } from "../exchange/exchange.ts";
import { highWaterBytes, Inlet } from "./held-bytes.ts";
import type { Line } from "../exchange/reply.ts";
import { Outlet } from "./outlet.ts";
import { Patience, type Spent } from "./deadlines.ts";
import { Peer } from "./client.ts";
import { logRefusal, refuse } from "./refusal.ts";
import type { Entrance } from "./service.ts";
import { answering, lingering, over, reading, type Stage } from "./stage.ts";
import type { Wire } from "./wire.ts";

export class Connection implements Line {
  readonly entrance: Entrance;
  readonly output: OutputBuffer;
  readonly #outlet: Outlet;
  readonly peer: Peer;
  readonly #wire: Wire;
  #reader: MessageReader | null = null; // Borrowed from the service while a request is on its way.
  #stage: Stage = reading;
  readonly #patience: Patience;
  #exchange: Exchange | null = null;
  readonly #inlet: Inlet;
  #clientDone = false; // It has sent FIN, and all before that has been received.
  #ending = false; // Close when `output` is written.

  constructor(wire: Wire, entrance: Entrance) {
    this.#wire = wire;
    this.entrance = entrance;
    this.peer = new Peer(wire, entrance.service);
    this.#patience = new Patience(entrance.service, wire);
    this.#inlet = new Inlet(wire);
    this.#outlet = new Outlet(wire);
    this.output = this.#outlet.output;
  }

  get gone(): boolean {
    return this.#stage === over;
  }

  /** Nothing of a request has arrived, and no answer is under way. */
  get #idle(): boolean {
    return this.#stage === reading && (this.#reader === null || this.#reader.idle);
  }

  receive(bytes: Buffer): void {
    if (this.#stage === lingering) return;
    if (this.#stage === answering || !this.#inlet.empty) {
      this.#inlet.hold(bytes);
      return this.#steerReading();
    }
    if (this.peer.unread) this.#introduce(bytes);
    else this.#advance(bytes);
    this.flush();
  }

  /** The socket takes bytes again. */
  drained(): void {
    this.#patience.writeMoves();
    this.#outlet.drained();
    if (!this.flush()) return;
    this.#exchange?.drained();
    this.#goOn();
  }

  /** The client sends nothing more; it may still read, so what it has asked for is answered. */
  clientEnded(): void {
    this.#clientDone = true;
    if (this.#stage === lingering) return this.#abandon();
    if (this.#stage === reading && this.#inlet.empty) this.#endInput();
    this.#mayHaveLeft();
    this.flush();
  }

  /** The socket has closed, by whatever cause. */
  closed(): void {
    if (this.#stage === over) return;
    this.#stage = over;
    this.#inlet.take();
    this.output.clear();
    this.#exchange?.left();
  }

  /** One step of the service's clock. */
  tick(): void {
    // Not even FIN is seen while reading pauses.
    if (this.#inlet.paused && this.#patience.clientHasEnded) this.#mayHaveLeft();
    const spent = this.#patience.tick();
    if (spent === null) return;
    const inMessage = this.#stage === reading && !this.#idle;
    if (inMessage && spent === "body_timeout") this.#broken("body too slow");
    else if (inMessage && spent === "header_timeout") this.#broken("head too slow");
    else return this.#cut(spent);
    this.flush();
  }

  /** The worker leaves: an idle client has until keepalive expires to send one more request. */
  drain(): void {
    if (this.#idle) this.#patience.idlesBriefly();
  }

  /** For server.timeout(): closes the connection if its answer isn't out after so many ticks; 0: no limit. */
  limitAnswer(ticks: number): void {
    if (this.#exchange?.done === false) this.#patience.answersWithin(ticks);
  }

  flush(): boolean {
    if (this.#stage >= lingering) return this.#stage === lingering;
    if (this.output.byteLength > 0) this.#patience.appWrites();
    const empty = this.#outlet.write();
    if (this.output.broken) this.#reset();
    if (this.#stage === over) return false;
    this.#patience.writes(!empty);
    if (empty && this.#ending && this.#exchange === null) this.#linger();
    this.#steerReading();
    return empty;
  }

  pauseForBody(pause: boolean): void {
    this.#inlet.pausedByBody = pause;
    this.awaitBody();
    // Before the app is asked, receive() will see to it: it may read at once.
    if (this.#exchange?.dispatched === true) this.#steerReading();
  }

  awaitBody(): void {
    if (this.#stage === reading) this.#patience.bodyArrives(this.#inlet.pausedByBody);
  }

  get bodyMissing(): number {
    return this.#reader?.missing ?? 0;
  }

  finished(persistent: boolean): void {
    if (!persistent) this.#ending = true;
    if (this.#stage === over) return;
    this.#patience.answered();
    this.#inlet.pausedByBody = false;
    // The rest of the body is read first, unless the connection ends anyway.
    if (this.bodyMissing > 0 && !this.#ending) return;
    this.#next();
  }

  /** FIN would make the body look complete (RFC 9112 §8). */
  cutShort(): void {
    this.output.writeTo(this.#wire);
    this.#wire.terminate();
  }

  #advance(bytes: Buffer): void {
    const end = bytes.length;
    let at = 0;
    while (at < end && this.#stage === reading) {
      // A client that sends but doesn't read gets no more answers until it does.
      if (this.output.byteLength > highWaterBytes && !this.flush()) break;
      const reader = (this.#reader ??= this.entrance.service.lendReader(this.peer.trusted));
      const step = reader.read(bytes, at, end);
      at = reader.consumed;
      if (step === "need more") {
        if (this.#exchange !== null) this.awaitBody();
        else if (!reader.idle) this.#patience.headArrives();
      } else if (step === "head") this.#begin(reader);
      else if (step === "end") this.#bodyComplete();
      else this.#broken(step);
    }
    // A body that came in part: the app may read what is there, and wait for the rest.
    if (this.#exchange?.dispatched === false) this.#exchange.dispatch();
    if (at < end && this.#stage <= answering && !this.#ending) this.#inlet.hold(bytes.subarray(at));
  }

  /** The first bytes, where a PROXY header may stand. */
  #introduce(bytes: Buffer): void {
    const pieces = this.peer.read(bytes);
    if (pieces === "need more") return this.#patience.headArrives();
    if (typeof pieces === "string") return this.#refuse(pieces);
    for (const piece of pieces) if (this.#stage === reading) this.#advance(piece);
  }

  #begin(reader: MessageReader): void {
    const { head, hasBody, expectsContinue } = reader;
    const scheme = this.entrance.service.place(head, this.peer.trusted);
    if (scheme !== "http" && scheme !== "https") return this.#refuse(scheme);
    const exchange = new Exchange(this, head, scheme, hasBody, expectsContinue);
    this.#patience.requestComplete();
    this.#exchange = exchange;
    if (hasBody) {
      reader.body = exchange.body;
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

  /** The client gets its status, unless the app's answer is on the way already: then that ends the connection. */
  #broken(name: RefusalName): void {
    const exchange = this.#exchange;
    if (exchange === null || exchange.supersede(new Error(errors[name].text)))
      return this.#refuse(name);
    logRefusal(name, this);
    this.#ending = true;
    this.#stage = answering;
    if (exchange.done) this.#next();
  }

  /** After an exchange: the next request, or the end. */
  #next(): void {
    this.#exchange = null;
    this.#patience.answered();
    if (this.#clientDone && this.#inlet.empty) this.#ending = true;
    if (this.#ending) {
      this.#stage = answering;
      this.#inlet.take();
      return;
    }
    this.#stage = reading;
    this.#patience.idles();
    this.#reader = this.entrance.service.takeBack(this.#reader);
    this.#goOn();
  }

  /** Parses what was held, once nothing is in the way. */
  #goOn(): void {
    if (this.#inlet.empty || this.#stage !== reading) return;
    this.#advance(this.#inlet.take());
    if (this.#clientDone && this.#stage === reading && this.#inlet.empty) this.#endInput();
    this.flush();
  }

  /** Nothing more comes: what has begun will never be complete. */
  #endInput(): void {
    const exchange = this.#exchange;
    this.#ending = true;
    if (exchange === null) return;
    this.#stage = answering;
    this.#patience.requestComplete();
    exchange.bodyCut();
    if (exchange.done) this.#next();
  }

  /** A client that closes and one that only stops sending look the same, until something is written to it. */
  #mayHaveLeft(): void {
    const atOnce = this.#patience.clientQuiet(this.#exchange?.done === false);
    if (atOnce && this.output.byteLength === 0) this.#abandon();
  }

  #steerReading(): void {
    if (this.#stage === over) return;
    this.#inlet.steer(this.#stage === reading && this.output.byteLength > highWaterBytes);
  }

  /** Answers and ends the connection: what follows in it can't be trusted. */
  #refuse(name: RefusalName): void {
    refuse(name, this, this.#reader, this.#exchange);
    this.#ending = true;
    this.#next();
  }

  /** Sends FIN behind the last answer, and waits a little for the client's. */
  #linger(): void {
    if (this.#stage >= lingering) return;
    this.#stage = lingering;
    this.#inlet.pausedByBody = false;
    this.#steerReading();
    if (this.#clientDone) return this.#abandon();
    this.#patience.lingers();
    this.#wire.shutdown();
  }

  /** The client took too long: nobody waits for it any more. */
  #cut(spent: Spent): void {
    this.entrance.service.log.debug(`Closing ip=${this.peer.client.address}: ${spent}`);
    // By a reset: the kernel would hold megabytes for a client that doesn't take them, for minutes.
    if (spent === "write_timeout") this.#wire.terminate();
    else if (spent === "keepalive" && this.#patience.heldBytes > 0) this.#linger();
    else this.#abandon();
  }

  /** The client has left by a reset. Bun doesn't close a socket whose reset a write has met. */
  #reset(): void {
    this.closed();
    this.#wire.terminate();
  }

  /** Ends the connection, and the exchange that nobody waits for any longer. */
  #abandon(): void {
    if (this.#exchange?.bodyOpen === true) return this.#reset();
    this.closed();
    this.#wire.end();
  }
}

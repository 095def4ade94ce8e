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
import { highWaterBytes, HeldBytes } from "./held-bytes.ts";
import type { Reply } from "../exchange/reply.ts";
import { Outlet } from "./outlet.ts";
import { Deadlines, type Expired } from "./deadlines.ts";
import { Client } from "./client.ts";
import { logRefusal, refuse } from "./refusal.ts";
import type { EngineSettings } from "./engine-settings.ts";
import { readMount, readScheme } from "../exchange/mount.ts";
import type { Site } from "../exchange/site.ts";
import type { ReaderPool } from "./reader-pool.ts";
import { answering, lingering, over, reading, type Stage } from "./stage.ts";
import type { Wire } from "./wire.ts";

/** What all connections of a worker share. */
export interface Engine {
  readonly settings: EngineSettings;
  readonly readers: ReaderPool;
}

export class Connection implements Reply {
  readonly site: Site;
  readonly output: OutputBuffer;
  readonly #outlet: Outlet;
  readonly client: Client;
  readonly #wire: Wire;
  readonly #engine: Engine;
  #reader: MessageReader | null = null; // Borrowed while a request is on its way.
  #stage: Stage = reading;
  readonly #deadlines: Deadlines;
  #exchange: Exchange | null = null;
  readonly #held: HeldBytes;
  #clientDone = false; // It has sent FIN, and all before that has been received.
  #ending = false; // Close when `output` is written.

  constructor(wire: Wire, site: Site, engine: Engine) {
    this.#wire = wire;
    this.#engine = engine;
    this.site = site;
    this.client = new Client(wire, engine.settings, site.records !== null);
    this.#deadlines = new Deadlines(engine.settings.deadlines, wire);
    this.#held = new HeldBytes(wire);
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
    if (this.#stage === answering || !this.#held.empty) {
      this.#held.hold(bytes);
      return this.#steerReading();
    }
    if (this.client.unread) this.#introduce(bytes);
    else this.#advance(bytes);
    this.flush();
  }

  /** The socket takes bytes again. */
  drained(): void {
    this.#deadlines.writeMoves();
    this.#outlet.drained();
    if (!this.flush()) return;
    this.#exchange?.drained();
    this.#goOn();
  }

  /** The client sends nothing more; it may still read, so what it has asked for is answered. */
  clientEnded(): void {
    this.#clientDone = true;
    if (this.#stage === lingering) return this.#abandon();
    if (this.#stage === reading && this.#held.empty) this.#endInput();
    this.#mayHaveLeft();
    this.flush();
  }

  /** The socket has closed, by whatever cause. */
  closed(): void {
    if (this.#stage === over) return;
    this.#stage = over;
    this.#held.take();
    this.output.clear();
    this.#exchange?.left();
  }

  /** One step of the connections' clock. */
  tick(): void {
    // Not even FIN is seen while reading pauses.
    if (this.#held.paused && this.#deadlines.clientHasEnded) this.#mayHaveLeft();
    const expired = this.#deadlines.tick();
    if (expired === null) return;
    const inMessage = this.#stage === reading && !this.#idle;
    if (inMessage && expired === "body_timeout") this.#broken("body too slow");
    else if (inMessage && expired === "header_timeout") this.#broken("head too slow");
    else return this.#cut(expired);
    this.flush();
  }

  /** The worker leaves: an idle client has until keepalive expires to send one more request. */
  drain(): void {
    if (this.#idle) this.#deadlines.idlesBriefly();
  }

  answersWithin(ticks: number): void {
    this.#deadlines.answersWithin(ticks);
  }

  flush(): boolean {
    if (this.#stage >= lingering) return this.#stage === lingering;
    if (this.output.byteLength > 0) this.#deadlines.appWrites();
    const empty = this.#outlet.write();
    if (this.output.broken) this.#reset();
    if (this.#stage === over) return false;
    this.#deadlines.writes(!empty);
    if (empty && this.#ending && this.#exchange === null) this.#linger();
    this.#steerReading();
    return empty;
  }

  pauseForBody(pause: boolean): void {
    this.#held.pausedByBody = pause;
    this.awaitBody();
    // Before the app is asked, receive() will see to it: it may read at once.
    if (this.#exchange?.dispatched === true) this.#steerReading();
  }

  awaitBody(): void {
    if (this.#stage === reading) this.#deadlines.bodyArrives(this.#held.pausedByBody);
  }

  get bodyMissing(): number {
    return this.#reader?.missing ?? 0;
  }

  finished(persistent: boolean): void {
    if (!persistent) this.#ending = true;
    if (this.#stage === over) return;
    this.#deadlines.answered();
    this.#held.pausedByBody = false;
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
      const reader = (this.#reader ??= this.#engine.readers.lend(this.client.trusted));
      const step = reader.read(bytes, at, end);
      at = reader.consumed;
      if (step === "need more") {
        if (this.#exchange !== null) this.awaitBody();
        else if (!reader.idle) this.#deadlines.headArrives();
      } else if (step === "head") this.#begin(reader);
      else if (step === "end") this.#bodyComplete();
      else this.#broken(step);
    }
    // A body that came in part: the app may read what is there, and wait for the rest.
    if (this.#exchange?.dispatched === false) this.#exchange.dispatch();
    if (at < end && this.#stage <= answering && !this.#ending) this.#held.hold(bytes.subarray(at));
  }

  /** The first bytes, where a PROXY header may stand. */
  #introduce(bytes: Buffer): void {
    const pieces = this.client.read(bytes);
    if (pieces === "need more") return this.#deadlines.headArrives();
    if (typeof pieces === "string") return this.#refuse(pieces);
    for (const piece of pieces) if (this.#stage === reading) this.#advance(piece);
  }

  #begin(reader: MessageReader): void {
    const { head, hasBody, expectsContinue } = reader;
    const { trusted } = this.client;
    const { mount } = this.#engine.settings;
    const scheme = readScheme(head, trusted, this.site.scheme, mount);
    if (scheme === "contradictory scheme headers") return this.#refuse(scheme);
    const appTarget = readMount(head, trusted, mount);
    if (appTarget === "path outside script name") return this.#refuse(appTarget);
    head.appTarget = appTarget;
    const exchange = new Exchange(this, this.site, this.client, scheme, reader);
    this.#deadlines.requestComplete();
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
    this.#deadlines.requestComplete();
    if (!exchange.dispatched) exchange.dispatch();
    else if (exchange.done) this.#next();
  }

  /** The client gets its status, unless the app's answer is on the way already: then that ends the connection. */
  #broken(name: RefusalName): void {
    const exchange = this.#exchange;
    if (exchange === null || exchange.supersede(new Error(errors[name].text)))
      return this.#refuse(name);
    logRefusal(name, this.site, this.client);
    this.#ending = true;
    this.#stage = answering;
    if (exchange.done) this.#next();
  }

  /** After an exchange: the next request, or the end. */
  #next(): void {
    this.#exchange = null;
    this.#deadlines.answered();
    if (this.#clientDone && this.#held.empty) this.#ending = true;
    if (this.#ending) {
      this.#stage = answering;
      this.#held.take();
      return;
    }
    this.#stage = reading;
    this.#deadlines.idles();
    this.#reader = this.#engine.readers.takeBack(this.#reader);
    this.#goOn();
  }

  /** Parses what was held, once nothing is in the way. */
  #goOn(): void {
    if (this.#held.empty || this.#stage !== reading) return;
    this.#advance(this.#held.take());
    if (this.#clientDone && this.#stage === reading && this.#held.empty) this.#endInput();
    this.flush();
  }

  /** Nothing more comes: what has begun will never be complete. */
  #endInput(): void {
    const exchange = this.#exchange;
    this.#ending = true;
    if (exchange === null) return;
    this.#stage = answering;
    this.#deadlines.requestComplete();
    exchange.bodyCut();
    if (exchange.done) this.#next();
  }

  /** A client that closes and one that only stops sending look the same, until something is written to it. */
  #mayHaveLeft(): void {
    const atOnce = this.#deadlines.clientQuiet(this.#exchange?.done === false);
    if (atOnce && this.output.byteLength === 0) this.#abandon();
  }

  #steerReading(): void {
    if (this.#stage === over) return;
    this.#held.steer(this.#stage === reading && this.output.byteLength > highWaterBytes);
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
    this.#held.pausedByBody = false;
    this.#steerReading();
    if (this.#clientDone) return this.#abandon();
    this.#deadlines.lingers();
    this.#wire.shutdown();
  }

  /** The client took too long: nobody waits for it any more. */
  #cut(expired: Expired): void {
    this.site.log.debug(`Closing ip=${this.client.shown.address}: ${expired}`);
    // By a reset: the kernel would hold megabytes for a client that doesn't take them, for minutes.
    if (expired === "write_timeout") this.#wire.terminate();
    else if (expired === "keepalive" && this.#deadlines.heldBytes > 0) this.#linger();
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

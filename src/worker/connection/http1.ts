/**
 * HTTP/1.x on a connection: one exchange after another.
 *
 * Invariants: no byte of a later request is parsed while an answer is under way, so answers leave in order; after an
 * error in the framing nothing more is parsed.
 */
import { errors, type RefusalName } from "../../http/errors.ts";
import { highWaterBytes } from "../../http/limits.ts";
import { isPersistent } from "../../http/message/keep-alive.ts";
import type { MessageReader } from "../../http/request/message-reader.ts";
import { currentDate } from "../../http/response/head/date.ts";
import type { OpenFile } from "../../http/response/file.ts";
import type { FileStep } from "../../http/response/file-pump.ts";
import { refusalPage } from "../../http/response/error-page.ts";
import type { ScoreboardRow } from "../../ipc/scoreboard.ts";
import type { OutputBuffer } from "../../http/response/output.ts";
import { encodeFixed } from "../../http/response/response.ts";
import { Exchange } from "../exchange/exchange.ts";
import { readMount, readScheme } from "../exchange/mount.ts";
import type { Reply } from "../exchange/reply.ts";
import type { Site } from "../exchange/site.ts";
import type { Client } from "./client.ts";
import type { Connections } from "./connections.ts";
import type { Deadlines, Expired } from "./deadlines.ts";
import type { EngineSettings } from "./engine-settings.ts";
import type { FileSender } from "./file-sender.ts";
import type { Protocol, ReceiveInto, Successor, Transport } from "./protocol.ts";
import type { ReaderPool } from "./reader-pool.ts";

/** What connections count: see src/ipc/scoreboard-columns.ts. */
export type EngineScores = Pick<ScoreboardRow, "bytes" | "timeouts">;

/** What all connections of a worker share. */
export interface Engine {
  /** Themselves. */
  readonly connections: Connections;
  readonly settings: EngineSettings;
  /** Where it counts. */
  readonly scores: EngineScores;
  readonly readers: ReaderPool;
  /** Null: files aren't left to the kernel. */
  readonly files: FileSender | null;
  /** Null: bodies come by Bun's own events alone. */
  readonly receiveInto: ReceiveInto | null;
  /** By os/sockets/hold-back.ts; null: what is written leaves at once. */
  readonly holdBack: ((fd: number, held: boolean) => void) | null;
}

/** What becomes of the next byte. */
const reading = 0;
/** The request has been read, its answer isn't out. */
const answering = 1;
/** There is no next request. */
const ended = 2;

export class Http1 implements Protocol, Reply {
  readonly output: OutputBuffer;
  readonly #transport: Transport;
  readonly #site: Site;
  readonly #engine: Engine;
  #stage: typeof reading | typeof answering | typeof ended = reading;
  /** Borrowed while a request is on its way. */
  #reader: MessageReader | null = null;
  #exchange: Exchange | null = null;
  /** The exchange is the last one. */
  #last = false;
  /** So the client wants it, and all has come that it sends. */
  #settled = false;

  constructor(transport: Transport, site: Site, engine: Engine) {
    this.#transport = transport;
    // Asked several times for each request (bench: pipelined).
    this.output = transport.output;
    this.#site = site;
    this.#engine = engine;
  }

  get #client(): Client {
    return this.#transport.client;
  }

  get #deadlines(): Deadlines {
    return this.#transport.deadlines;
  }

  // What the connection asks and tells.

  get reading(): boolean {
    return this.#stage === reading;
  }

  get ended(): boolean {
    return this.#stage === ended;
  }

  get settled(): boolean {
    return this.#settled;
  }

  get idle(): boolean {
    if (this.#stage !== reading || this.#exchange !== null) return false;
    return this.#reader === null || this.#reader.fresh;
  }

  get awaitsApp(): boolean {
    return this.#exchange?.done === false;
  }

  get bodyOpen(): boolean {
    return this.#exchange?.bodyOpen === true;
  }

  receive(bytes: Buffer): number {
    const client = this.#client;
    if (!client.unread) return this.#parse(bytes);
    // The first bytes, where a PROXY header may stand.
    const pieces = client.read(bytes);
    if (pieces === "need more") this.#deadlines.headArrives();
    else if (typeof pieces === "string") this.#refuse(pieces);
    else {
      let left = 0;
      for (const piece of pieces) left = piece.length - this.#parse(piece);
      return bytes.length - left;
    }
    return bytes.length;
  }

  drained(): void {
    this.#exchange?.drained();
  }

  /** What has begun will never be complete. */
  clientEnded(): void {
    const exchange = this.#exchange;
    this.#last = true;
    if (exchange === null) {
      this.#stage = ended;
      return;
    }
    this.#stage = answering;
    this.#deadlines.requestComplete();
    exchange.bodyCut();
    if (exchange.done) this.#next();
  }

  closed(): void {
    this.#exchange?.left();
  }

  expired(what: Expired): boolean {
    if (this.#stage !== reading || this.#idle) return false;
    if (what === "body_timeout") this.#broken("body too slow");
    else if (what === "header_timeout") this.#broken("head too slow");
    else return false;
    return true;
  }

  drain(): void {
    if (this.#stage === reading && this.#idle) this.#deadlines.idlesBriefly();
  }

  // What an exchange asks and tells.

  get gone(): boolean {
    return this.#transport.gone;
  }

  get bodyMissing(): number {
    return this.#reader?.missing ?? 0;
  }

  flush(): boolean {
    this.#transport.push();
    return !this.gone && this.output.byteLength === 0;
  }

  hasReady(file: OpenFile, size: number): boolean {
    // What is sealed can't be left to the kernel.
    return this.#client.tls === null && this.#engine.files?.hasReady(file, size) === true;
  }

  sendFile(fd: number, at: number, size: number): FileStep {
    const { files } = this.#engine;
    if (files === null) return "unready";
    return this.#transport.sendFile(files, fd, at, size);
  }

  push(): void {
    this.#transport.push();
  }

  pauseForBody(pause: boolean): void {
    this.#transport.unwanted = pause;
    this.awaitBody();
  }

  awaitBody(): void {
    this.#bodyArrives();
    this.#transport.turn();
  }

  answersWithin(ticks: number): void {
    this.#deadlines.answersWithin(ticks);
  }

  hangUp(): void {
    this.#last = true;
    if (this.gone || this.#stage !== reading) return;
    if (this.#exchange === null || this.#exchange.done) this.#next();
    this.#transport.turn();
  }

  finished(persistent: boolean): void {
    if (!persistent) this.#last = true;
    if (this.gone) return;
    if (this.#last && this.#exchange !== null) this.#settled = settles(this.#exchange);
    this.#transport.unwanted = false;
    // The rest of the body is read first, unless the connection ends anyway.
    if (this.bodyMissing === 0 || this.#last) this.#next();
    else this.#deadlines.answered();
    this.#transport.turn();
  }

  cutShort(): void {
    this.#exchange = null;
    this.#stage = ended;
    this.#transport.cutShort();
  }

  /** The connection is no HTTP any more. To be called while an exchange is under way, which isn't answered then. */
  handOver(successor: Successor): void {
    this.#stage = answering;
    this.#reader = this.#engine.readers.takeBack(this.#reader);
    this.#transport.handOver(successor);
  }

  /** Nothing of a request has arrived, and no answer is under way. */
  get #idle(): boolean {
    return this.#reader === null || this.#reader.idle;
  }

  #parse(bytes: Buffer): number {
    const { output } = this;
    const end = bytes.length;
    let at = 0;
    while (at < end && this.#stage === reading && output.byteLength <= highWaterBytes) {
      const reader = (this.#reader ??= this.#engine.readers.lend(this.#client.trusted));
      const step = reader.read(bytes, at, end);
      at = reader.consumed;
      if (step === "need more") {
        if (this.#exchange !== null) this.#bodyArrives();
        else if (!reader.idle) this.#deadlines.headArrives();
      } else if (step === "head") this.#begin(reader);
      else if (step === "end") this.#bodyComplete();
      else this.#broken(step);
    }
    // A body that came in part: the app may read what is there, and wait for the rest.
    if (this.#exchange !== null) {
      if (!this.#exchange.dispatched) this.#exchange.dispatch();
      if (at === end) this.#receiveBody();
    }
    return at;
  }

  /** Takes what else has come of a body that the app gathers, to where it is gathered. */
  #receiveBody(): void {
    const { receiveInto } = this.#engine;
    const reader = this.#reader;
    // What is sealed has to be opened first.
    if (receiveInto === null || reader === null || this.#client.tls !== null) return;
    if (this.#stage !== reading) return;
    const step = reader.receive((into) => this.#transport.receiveInto(into, receiveInto));
    if (step === "end") this.#bodyComplete();
    else if (step === "need more") this.#bodyArrives();
  }

  #begin(reader: MessageReader): void {
    const client = this.#client;
    const { head, hasBody, expectsContinue } = reader;
    const { mount } = this.#engine.settings;
    const scheme = readScheme(head, client.trusted, this.#site.scheme, mount);
    if (scheme === "contradictory scheme headers") return this.#refuse(scheme);
    const appTarget = readMount(head, client.trusted, mount);
    if (appTarget === "path outside script name") return this.#refuse(appTarget);
    head.appTarget = appTarget;
    if (head.upgradeField !== -1) {
      const refusal = this.#site.upgrades()?.refusalOf(head) ?? null;
      if (refusal !== null) return this.#refuse(refusal);
    }
    const exchange = new Exchange(this, this.#site, client, scheme, reader);
    this.#deadlines.requestComplete();
    this.#exchange = exchange;
    if (hasBody) {
      reader.body = exchange.body;
      if (!expectsContinue) this.#bodyArrives();
    } else {
      this.#stage = answering;
      exchange.dispatch();
    }
  }

  #bodyArrives(): void {
    if (this.#stage === reading) this.#deadlines.bodyArrives(this.#transport.unwanted);
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
    this.#logRefusal(name);
    this.#last = true;
    this.#stage = answering;
    if (exchange.done) this.#next();
  }

  /** Answers in the place of the exchange, if there is one, and ends: what follows can't be trusted. */
  #refuse(name: RefusalName): void {
    const { records, server } = this.#site;
    this.#logRefusal(name);
    const page = refusalPage(name, currentDate());
    encodeFixed(page, this.output);
    const { status, bodyBytes } = page;
    if (this.#exchange !== null) this.#exchange.tell(status, bodyBytes);
    else
      records?.refused({ client: this.#client, server, reader: this.#reader }, status, bodyBytes);
    // It would go on refusing.
    this.#reader = null;
    this.#last = true;
    this.#next();
  }

  #logRefusal(name: RefusalName): void {
    const { level, text } = errors[name];
    const { shown, hadLeft } = this.#client;
    const { address } = shown;
    if (hadLeft) this.#site.log.debug(`Closing ip=${address}: the client had left: ${text}`);
    else this.#site.log[level](`Invalid request from ip=${address}: ${text}`);
  }

  /** After an exchange: the next request, or the end. */
  #next(): void {
    this.#exchange = null;
    this.#deadlines.answered();
    this.#reader = this.#engine.readers.takeBack(this.#reader);
    if (this.#last) {
      this.#stage = ended;
      return;
    }
    this.#stage = reading;
    this.#deadlines.idles();
  }
}

/** RFC 9112 §9.6: who asks for the close sends no further request. Behind a body, old clients send CRLF (§2.2). */
function settles({ head, body }: Exchange): boolean {
  return body === null && !isPersistent(head.versionMinor, head.connection, false);
}

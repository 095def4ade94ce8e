/**
 * One request and its answer: the app is asked once, answered once, and the connection learns whether it goes on.
 */
import { isA, isAbortError } from "../../api/thrown.ts";
import { ConnectionCut } from "../../app/connection-cut.ts";
import type { AppServer } from "../../app/server.ts";
import { highWaterBytes } from "../../http/limits.ts";
import { type BodySource, RequestBody } from "../../http/request/body.ts";
import type { Scheme } from "../../http/proxy/forwarded.ts";
import type { Head } from "../../http/syntax/head.ts";
import { abortRequest, connectionClosedError, createRequest } from "../../http/request/request.ts";
import { encodeFixed, prepareResponse } from "../../http/response/response.ts";
import { errorPage, overloadPage } from "../../http/response/error-page.ts";
import type { ResponseContext } from "../../http/response/head/head.ts";
import { discard, type FixedResponse } from "../../http/response/head/framing.ts";
import type { InterimHead } from "../../http/response/head/early-hints.ts";
import type { OutputBuffer } from "../../http/response/output.ts";
import { type Pump, pumpFor } from "../../http/response/file-pump.ts";
import type { PumpOutcome, PumpTarget } from "../../http/response/stream-pump.ts";
import { answerContext } from "./answer-context.ts";
import type { Comer } from "./gate.ts";
import type { ReceivedRequest, Reply } from "./reply.ts";
import { noAnswer, type RecordedClient } from "../records/recorded.ts";
import type { Site } from "./site.ts";
import {
  answering,
  asked,
  done,
  reading,
  type State,
  superseded,
  upgraded,
  waiting,
} from "./states.ts";
import { costsConnection, costsItAfterAll } from "./unread-body.ts";

const nativeThen = Promise.prototype.then;

export class Exchange implements BodySource, PumpTarget, Comer {
  readonly head: Head;
  readonly body: RequestBody | null;
  readonly scheme: Scheme;
  readonly client: RecordedClient;
  readonly #reply: Reply;
  readonly #site: Site;
  /** When the app was asked, by performance.now(); -1 if it wasn't, or nobody wants to know. */
  startedMs = -1;
  /** The client waits for 100 Continue. */
  expectsContinue: boolean;
  #state: State = reading;
  #request: Request | null = null;
  #response: Response | null = null;
  /** The connection lives on behind the answer. */
  #persistent = false;
  /** Set while answering. */
  #pump: Pump | null = null;
  /** The end of the connection is the end of the body. */
  #untilClose = false;
  /** The app's error handler has had its say. */
  #failed = false;
  /** The client has left, or has sent half a body. */
  #clientLeft = false;
  /** The answer's status and length, for observers. */
  #status = noAnswer;
  #bodyBytes = 0;
  #told = false;

  constructor(
    reply: Reply,
    site: Site,
    client: RecordedClient,
    scheme: Scheme,
    { head, hasBody, expectsContinue }: ReceivedRequest,
  ) {
    this.#reply = reply;
    this.#site = site;
    this.client = client;
    this.head = head;
    this.scheme = scheme;
    this.expectsContinue = expectsContinue;
    const length = head.contentLength === -1 ? null : head.contentLength;
    this.body = hasBody ? new RequestBody(this, length) : null;
  }

  /** The app has been asked, or will be when it is the request's turn. */
  get dispatched(): boolean {
    return this.#state !== reading;
  }

  /** The answer is out, or there won't be one. */
  get done(): boolean {
    return this.#state === done;
  }

  /** The app's answer, once it is known that it can be sent. */
  get response(): Response | null {
    return this.#response;
  }

  get server(): AppServer {
    return this.#site.server;
  }

  /** For server.timeout(): ends the connection if the answer isn't out after so many ticks; 0: no limit. */
  answersWithin(ticks: number): void {
    if (this.#state !== done) this.#reply.answersWithin(ticks);
  }

  /**
   * Sends an interim answer at once. False if that can't be: the answer has begun, or the client has left, doesn't take
   * bytes, or speaks HTTP/1.0 (RFC 9110 §15.2).
   */
  sendInterim(head: InterimHead): boolean {
    if (this.#state !== asked || this.#reply.gone || this.head.versionMinor === 0) return false;
    if (this.output.byteLength > highWaterBytes) return false;
    this.output.addHead(head);
    this.#reply.push();
    return !this.#reply.gone;
  }

  /** For an app that ends it, and not by a field of its answer. */
  get connection(): Pick<Reply, "hangUp"> {
    return this.#reply;
  }

  get output(): OutputBuffer {
    return this.#reply.output;
  }

  /** Writes, for the pump: see PumpTarget. */
  flush(): boolean {
    return this.#reply.flush();
  }

  onFirstRead(): void {
    if (!this.expectsContinue) return;
    this.expectsContinue = false;
    // RFC 9110 §10.1.1: sent when the app wants the body, or never.
    this.output.addAscii("HTTP/1.1 100 Continue\r\n\r\n");
    this.#reply.awaitBody();
  }

  onPause(): void {
    this.#reply.pauseForBody(true);
  }

  onResume(): void {
    this.#reply.pauseForBody(false);
  }

  /**
   * Asks the app, as soon as it may have one more request. An answer that is there at once is in `output` when this
   * returns.
   */
  dispatch(): void {
    const { gate } = this.#site;
    if (gate === null || gate.admit(this)) this.enter();
    else if (this.#state !== done) this.#state = waiting;
  }

  /** Called by the gate: the app isn't asked. */
  refuse(): void {
    this.#send(overloadPage(this.#context()));
  }

  /** Called by the gate: it is this request's turn. */
  enter(): void {
    const { handler, host, records, server } = this.#site;
    const request = createRequest(this.head, this.scheme, host, this.body, this);
    this.#request = request;
    this.#state = asked;
    if (records !== null) this.startedMs = performance.now();
    try {
      const isUsual = this.head.upgradeField === -1;
      const handle = isUsual ? undefined : this.#site.upgrades()?.handlerOf(this);
      const answer = handler.begin(this.head, request, server, handle);
      if (!(answer instanceof Promise)) return this.#answer(answer);
      // An async function that waited for nothing has settled: answered in the same tick (bench: hello).
      if (Bun.peek.status(answer) === "fulfilled")
        return this.#answer(Bun.peek(answer) as Response);
      // As `await` asks: a subclass's own then() may call back twice, the second time into another request's turn.
      nativeThen.call(
        Promise.resolve(answer),
        (response: Response) => this.#answerLater(response),
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The client takes bytes again. */
  drained(): void {
    this.#pump?.drained();
  }

  /** A body is under way that the end of the connection ends: FIN would make it look complete (RFC 9112 §8). */
  get bodyOpen(): boolean {
    return this.#state === answering && this.#untilClose;
  }

  /** The client sends nothing more, though the body isn't complete. It may still read. */
  bodyCut(): void {
    this.#clientLeft = true;
    this.body?.fail(connectionClosedError());
  }

  /** The client has left: there is nobody to answer. */
  left(): void {
    this.#clientLeft = true;
    const reason = connectionClosedError();
    this.body?.fail(reason);
    if (this.#state === waiting) {
      this.#site.gate?.forget(this);
      return this.#finish();
    }
    if (this.#request !== null) abortRequest(this.#request, reason);
    if (this.#pump === null) this.tell(this.#status, this.#bodyBytes);
    else this.#pump.cancel(reason);
  }

  /**
   * The rest of the body can't be read: whoever reads it gets `reason`. True if no byte of the answer is out,
   * so that the connection may answer in the app's place.
   */
  supersede(reason: Error): boolean {
    this.body?.fail(reason);
    if (this.#state >= answering) return false;
    if (this.#state === waiting) this.#site.gate?.forget(this);
    this.#state = superseded;
    return true;
  }

  /** False: it is too late to make something else of the connection. */
  get upgradable(): boolean {
    return this.#state === asked && !this.#reply.gone;
  }

  /**
   * The app makes something else of the connection: whoever has asked hands it over, and calls tell() with what becomes of it.
   * What the app returns is of no account then. Null if it is too late.
   */
  upgrade(): Reply | null {
    if (!this.upgradable) return null;
    this.#state = upgraded;
    this.#response = new Response(null, { status: 101 });
    return this.#reply;
  }

  /** Tells the observers, if there are any, what has become of the request: once, whoever knows it first. */
  tell(status: number, bodyBytes: number): void {
    const { records } = this.#site;
    if (records === null || this.#told) return;
    this.#told = true;
    records.answered(this, status, bodyBytes);
  }

  pumpEnded(outcome: PumpOutcome): void {
    this.#bodyBytes = this.#pump?.bodyBytes ?? 0;
    switch (outcome.type) {
      case "complete":
        break;
      case "wrong length":
        this.complain(outcome.message);
        this.#persistent = false;
        break;
      case "failed":
        if (!outcome.headSent) {
          // Nobody has seen it.
          this.#state = asked;
          this.#pump = null;
          this.#response = null;
          this.#status = noAnswer;
          return this.#fail(outcome.error);
        }
        if (this.#isAbort(outcome.error)) this.#site.handler.gaveUp(this.head, outcome.error);
        else this.complain("The stream of the response failed", outcome.error);
        this.#persistent = false;
        if (this.#untilClose) return this.#finish(true);
        break;
      case "cancelled":
        this.#persistent = false;
        break;
      default:
        outcome satisfies never;
    }
    this.#finish();
  }

  /** The app has thrown `error`, or `message` says why what it has returned can't be sent. */
  #fail(error: unknown, message = ""): void {
    if (this.#state === done) return this.complain(message, error);
    const { handler } = this.#site;
    if (this.#state === superseded || this.#isAbort(error)) {
      handler.gaveUp(this.head, error);
      // Nothing has been sent: FIN says so too, as that of node:http does.
      if (isA(error, ConnectionCut)) this.#persistent = false;
      return this.#finish();
    }
    if (this.#state === upgraded) {
      this.complain(message, error);
      return this.#finish();
    }
    if (this.#failed) {
      // The answer of the app's error handler: it isn't asked about itself.
      this.complain(message, error);
      return this.#send(errorPage(500, "", this.#context()));
    }
    this.#failed = true;
    void handler.fail(this.head, error, message).then((response) => {
      if (response !== null) return this.#answerLater(response);
      if (this.#reply.gone || this.#state >= superseded) return this.#finish();
      this.#send(errorPage(500, "", this.#context()));
    });
  }

  /** An app that closes the connection, or stops as its client has left or has sent half a body, has done nothing wrong. */
  #isAbort(error: unknown): boolean {
    return isA(error, ConnectionCut) || (this.#clientLeft && isAbortError(error));
  }

  #answerLater(response: Response): void {
    try {
      this.#answer(response);
    } catch (error) {
      // Whatever it is, it isn't what it seems: a Proxy, or a subclass whose getters throw.
      this.#fail(error);
    }
  }

  /** The app's answer, if it is a Response. */
  #answer(response: Response): void {
    if (this.#reply.gone || this.#state >= superseded) {
      if (response instanceof Response && !response.bodyUsed && response.body !== null)
        discard(response.body);
      return this.#finish();
    }
    const prepared = prepareResponse(response, this.#context());
    if (prepared.type === "broken") return this.#fail(prepared.error, prepared.message);
    this.#response = response;
    this.#persistent = prepared.keepAlive;
    // Before anything that may throw: an open file has an owner now.
    if (prepared.type === "stream") this.#pump = pumpFor(prepared, this, this.#reply);
    if (prepared.warning !== null) this.complain(prepared.warning);
    if (prepared.type === "fixed") return this.#send(prepared);
    this.#status = prepared.status;
    this.#untilClose = prepared.framing === "close";
    this.#state = answering;
    this.#pump?.start();
  }

  #context(): ResponseContext {
    const { head, body } = this;
    const closes =
      this.#site.closing() ||
      // RFC 9110 §9.3.6: to a proxy in between, what follows a 2xx isn't HTTP, and nobody there has judged it.
      head.method === "CONNECT" ||
      (body !== null && costsConnection(body, this.#reply.bodyMissing, this.expectsContinue));
    return answerContext(head, closes);
  }

  #send(answer: FixedResponse): void {
    encodeFixed(answer, this.output);
    this.#persistent = answer.keepAlive;
    this.#status = answer.status;
    this.#bodyBytes = answer.bodyBytes;
    this.#finish();
  }

  /** `cut`: the body isn't complete, and only the end of the connection would say so. */
  #finish(cut = false): void {
    if (this.#state === done) return;
    const late = this.#state >= superseded;
    // Of an upgrade others tell.
    if (this.#state !== upgraded) this.tell(this.#status, this.#bodyBytes);
    this.#state = done;
    const { handler, gate } = this.#site;
    if (this.#request !== null) handler.finish(this.head, this.#request, this.#response);
    this.body?.abandon(connectionClosedError());
    // Nobody reads on behind the answer: the head couldn't know that yet.
    if (this.body !== null && costsItAfterAll(this.body, this.#reply.bodyMissing))
      this.#persistent = false;
    if (!late && cut) this.#reply.cutShort();
    else if (!late) this.#reply.finished(this.#persistent);
    if (gate !== null && this.#request !== null) gate.leave();
  }

  /** Logs what the app has got wrong. */
  complain(message: string, error: unknown = null): void {
    this.#site.handler.complain(this.head, message, error);
  }
}

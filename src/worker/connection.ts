/**
 * One connection: bytes in, requests to the handler, answers out, in order and one at a time.
 *
 * Invariants: no byte of a later request is parsed while an answer is under way (what arrives is held,
 * and reading pauses above a mark); an answer is written only when the one before it is; after an error
 * in the framing nothing more is parsed. A connection holds no timer: the service counts its ticks down.
 */
import { type BodySource, RequestBody } from "../http/body.ts";
import { ChunkedDecoder } from "../http/chunked.ts";
import { errors, type ParseErrorName } from "../http/errors.ts";
import { frame } from "../http/framing.ts";
import type { Head } from "../http/head.ts";
import { isPersistent } from "../http/keep-alive.ts";
import { RequestParser } from "../http/parser.ts";
import { judgeExpectation } from "../http/policy.ts";
import { abortRequest, connectionClosedError, createRequest } from "../http/request.ts";
import { errorPage, prepareResponse } from "../http/response.ts";
import { OutputBuffer } from "../http/response-output.ts";
import { StreamPump } from "../http/response-stream.ts";
import type { Service } from "./service.ts";

/** What a connection needs of a socket: Bun's own has it. */
export interface Wire {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: "IPv4" | "IPv6" | undefined;
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
/** The last answer is out: what comes is read and dropped, so that no reset destroys the answer (RFC 9112 §9.6). */
const lingering = 4;
const closed = 5;

/** Above so many held bytes, reading pauses; above so many unwritten bytes, parsing does. */
const highWaterBytes = 65_536;

/** An unread body up to this size is read and dropped to keep the connection; a larger one costs the connection. */
const discardLimitBytes = 65_536;

const noBytes = Buffer.alloc(0);

export class Connection implements BodySource {
  readonly #wire: Wire;
  readonly #service: Service;
  readonly #parser: RequestParser;
  readonly #out = new OutputBuffer();
  #stage = inHead;
  #ticks: number;
  /** Requests served; a fresh connection and an idle one have different patience. */
  #held: Buffer = noBytes;
  #pausedByBody = false;
  #paused = false;
  #ending = false;
  #clientEnded = false;
  // The exchange under way.
  #head: Head | null = null;
  #request: Request | null = null;
  #body: RequestBody | null = null;
  #bodyLeft = 0;
  #chunked: ChunkedDecoder | null = null;
  #expectsContinue = false;
  #undispatched = false;
  #pump: StreamPump | null = null;

  constructor(wire: Wire, service: Service) {
    this.#wire = wire;
    this.#service = service;
    this.#parser = new RequestParser(service.limits);
    this.#ticks = service.headTicks;
  }

  get wire(): Wire {
    return this.#wire;
  }

  /** No request has begun to arrive, and no answer is under way. */
  get idle(): boolean {
    return this.#stage === inHead && this.#parser.idle;
  }

  receive(bytes: Buffer): void {
    if (this.#stage >= answering) {
      if (this.#stage === answering) this.#hold(bytes);
      else if (this.#stage === lingering) this.#ticks = this.#service.lingerTicks;
      return;
    }
    this.#advance(bytes);
    this.#flush();
  }

  /** The socket takes bytes again. */
  drained(): void {
    this.#flush();
    if (this.#out.byteLength > 0) return;
    this.#pump?.drained();
    this.#goOn();
  }

  /** The client sends nothing more; it may still read. */
  ended(): void {
    this.#clientEnded = true;
    if (this.#stage === lingering || this.idle) return this.#close();
    if (this.#request !== null) abortRequest(this.#request, connectionClosedError());
    if (this.#stage === inHead) return this.#close();
    if (this.#stage === answering) return;
    // The body will never be complete: whoever reads it learns so.
    this.#body?.fail(connectionClosedError());
    this.#ending = true;
    this.#stage = answering;
    if (this.#undispatched) this.#dispatch();
    this.#flush();
  }

  /** The socket is gone, by whatever cause. */
  closed(): void {
    if (this.#stage === closed) return;
    this.#stage = closed;
    this.#ticks = 0;
    this.#held = noBytes;
    this.#out.clear();
    if (this.#request === null) return;
    const reason = connectionClosedError();
    this.#body?.fail(reason);
    abortRequest(this.#request, reason);
    this.#pump?.cancel(reason);
  }

  /** One step of the service's clock. */
  tick(): void {
    if (this.#ticks === 0 || --this.#ticks > 0) return;
    if (this.#stage !== inHead || this.idle) return this.#close();
    this.#refuseWith(408, "Request Timeout", "The request head took too long");
    this.#flush();
  }

  /** From now on answers say `Connection: close`; an idle client has until keepalive to send one more request. */
  drain(): void {
    if (this.idle) this.#ticks = Math.min(this.#ticks, Math.max(1, this.#service.keepAliveTicks));
  }

  /** server.timeout(): closes when nothing moves for so many ticks while the answer is under way; 0 for never. */
  limitIdle(ticks: number): void {
    if (this.#request !== null) this.#ticks = ticks;
  }

  // BodySource

  onFirstRead(): void {
    if (!this.#expectsContinue) return;
    this.#expectsContinue = false;
    // RFC 9110 §10.1.1: sent when the app wants the body, or never.
    this.#out.addAscii("HTTP/1.1 100 Continue\r\n\r\n");
    this.#flush();
  }

  onPause(): void {
    this.#pausedByBody = true;
    this.#steerReading();
  }

  onResume(): void {
    this.#pausedByBody = false;
    this.#steerReading();
  }

  // Reading

  #advance(bytes: Buffer): void {
    const end = bytes.length;
    let at = 0;
    while (at < end) {
      switch (this.#stage) {
        case inHead: {
          if (this.#out.byteLength > highWaterBytes) {
            this.#flush();
            // The client doesn't read: it gets no more answers until it does.
            if (this.#out.byteLength > 0) return this.#hold(bytes.subarray(at));
          }
          const step = this.#parser.feed(bytes, at, end);
          at = this.#parser.consumed;
          if (step === "need more") {
            // From the first byte of a head on, its own patience counts; an idle connection's is over.
            if (!this.#parser.idle && this.#request === null) this.#ticks = this.#ticks || this.#service.headTicks;
            return;
          }
          if (step !== "head") return this.#refuse(step);
          this.#begin();
          break;
        }
        case inLengthBody: {
          const take = Math.min(this.#bodyLeft, end - at);
          this.#body?.push(bytes.subarray(at, at + take));
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
    if (this.#undispatched) this.#dispatch();
  }

  #feedChunked(bytes: Buffer, start: number, end: number): number {
    const decoder = this.#chunked as ChunkedDecoder;
    const step = decoder.feed(bytes, start, end);
    if (step === "data") {
      this.#body?.push(bytes.subarray(decoder.dataStart, decoder.dataEnd));
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
    const framing = frame(head);
    const expectation = judgeExpectation(head.expectation, head.versionMinor);
    this.#head = head;
    this.#ticks = 0;
    if (framing !== "none" && framing !== "length" && framing !== "chunked") return this.#refuse(framing);
    if (expectation !== "none" && expectation !== "continue") return this.#refuse(expectation);
    if (framing === "none") {
      this.#stage = answering;
      return this.#dispatch();
    }
    this.#expectsContinue = expectation === "continue";
    this.#undispatched = true;
    if (framing === "length") {
      this.#stage = inLengthBody;
      this.#bodyLeft = head.contentLength;
      this.#body = new RequestBody(this, head.contentLength);
    } else {
      this.#stage = inChunkedBody;
      this.#chunked = new ChunkedDecoder(this.#service.limits);
      this.#body = new RequestBody(this, null);
    }
  }

  #bodyComplete(): void {
    this.#chunked = null;
    this.#body?.end();
    if (this.#undispatched) {
      this.#stage = answering;
      this.#dispatch();
    } else if (this.#request === null) {
      this.#next();
    } else {
      this.#stage = answering;
    }
  }

  /** A bad chunk: the app reads an error, and if its answer isn't on the way the client gets the status. */
  #bodyBroken(name: ParseErrorName): void {
    this.#body?.fail(new Error(errors[name].text));
    this.#ending = true;
    this.#stage = answering;
    if (this.#undispatched || this.#request === null) return this.#refuse(name);
    this.#logRefusal(name);
  }

  // Answering

  #dispatch(): void {
    const { handler, server, scheme, host } = this.#service;
    const head = this.#head as Head;
    const request = createRequest(head, scheme, host, this.#body, this);
    this.#undispatched = false;
    this.#request = request;
    try {
      const answer = handler.begin(head, request, server);
      if (!(answer instanceof Promise)) return this.#answer(answer);
      // An async function that didn't wait for anything has settled: answered in the same tick.
      const status = Bun.peek.status(answer);
      if (status === "fulfilled") return this.#answer(Bun.peek(answer) as Response);
      answer.then(
        (response) => this.#answerLater(response),
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const { handler } = this.#service;
    // An app that stops because its client has left has done nothing wrong.
    if (this.#stage === closed && error instanceof DOMException && error.name === "AbortError") {
      return this.#finish(null);
    }
    void handler.fail(this.#head as Head, error).then((response) => {
      this.#answerLater(response);
    });
  }

  #answerLater(response: Response | null): void {
    this.#answer(response);
    this.#flush();
    this.#goOn();
  }

  /** The app's answer; null for the plain 500. */
  #answer(response: Response | null): void {
    const head = this.#head as Head;
    if (this.#stage === closed) {
      void response?.body?.cancel().catch(() => {});
      return this.#finish(response);
    }
    if (response === null) {
      this.#addErrorPage(500, "Internal Server Error", "");
      return this.#finish(null);
    }
  }

  #addErrorPage(status: number, reason: string, message: string): void {}

  #finish(response: Response | null): void {}

  #next(): void {}
  #refuse(name: ParseErrorName): void {}
  #refuseWith(status: number, reason: string, message: string): void {}
  #logRefusal(name: ParseErrorName): void {}
  #hold(bytes: Buffer): void {}
  #goOn(): void {}
  #steerReading(): void {}
  #flush(): void {}
  #close(): void {}
}

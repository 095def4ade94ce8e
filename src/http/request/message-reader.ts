/**
 * Reads one request after another off a connection's bytes: head, framing, expectation, body (RFC 9112 §6, §7). It owns
 * no socket and keeps no answer.
 */
import type { RequestBody } from "./body.ts";
import { ChunkedDecoder } from "../syntax/chunked.ts";
import type { RefusalName } from "../errors.ts";
import { frame } from "../message/framing.ts";
import { Head } from "../syntax/head.ts";
import { KnownHeads } from "./known-heads.ts";
import type { Limits } from "../limits.ts";
import { type ParserOptions, RequestParser } from "../syntax/parser.ts";
import { judgeExpectation } from "../message/policy.ts";

const inHead = 0;
const inLengthBody = 1;
const inChunkedBody = 2;
/** The head or the body was refused here; what the parser itself refuses, it goes on refusing. */
const refused = 3;

/** What is left of a body for that a read of one's own isn't worth its system call. */
const leastBytes = 16 * 1024;

/** How much is received in a turn: other clients wait meanwhile. */
const turnBytes = 4 * 1024 * 1024;

const noHead = new Head();

/** What readers with the same limits and options share. */
export interface HeadsByTrust {
  /** Of peers in forwarded_allow_ips. */
  readonly trusted: KnownHeads;
  readonly strangers: KnownHeads;
}

/** For readers that share one set of limits and options. */
export function headsByTrust(): HeadsByTrust {
  return { trusted: new KnownHeads(), strangers: new KnownHeads() };
}

export class MessageReader {
  /** After read(): where in the bytes it ended. */
  consumed = 0;
  /** The request's head, from "head" on. The reader makes a new one for each request. */
  head: Head = noHead;
  hasBody = false;
  /** The client waits for 100 Continue. */
  expectsContinue = false;
  /** Where the body's bytes go: the caller sets it after "head". Null drops them. */
  body: RequestBody | null = null;
  readonly #limits: Limits;
  readonly #options: ParserOptions;
  readonly #maxBodyBytes: number;
  readonly #parser: RequestParser;
  readonly #heads: HeadsByTrust;
  #known: KnownHeads;
  #stage = inHead;
  /** How many bytes of a body by Content-Length haven't come; how many a chunked one may still have. */
  #left = 0;
  /** The request began with its chunk. */
  #first = false;
  #chunked: ChunkedDecoder | null = null;
  #refusal: RefusalName = "bad request line";

  /**
   * `maxBodyBytes`: limit_request_body; Infinity for none.
   * @param heads those that readers of the same limits and options have met
   */
  constructor(
    limits: Limits,
    options: ParserOptions = {},
    maxBodyBytes = Number.POSITIVE_INFINITY,
    heads: HeadsByTrust = headsByTrust(),
  ) {
    this.#limits = limits;
    this.#options = options;
    this.#maxBodyBytes = maxBodyBytes;
    this.#parser = new RequestParser(limits, options);
    this.#heads = heads;
    this.#known = heads.strangers;
  }

  /** Whether the peer is in forwarded_allow_ips: it may send headers that others can't. */
  set trusted(trusted: boolean) {
    this.#parser.trusted = trusted;
    this.#known = trusted ? this.#heads.trusted : this.#heads.strangers;
  }

  /** Whether it is between two requests, with no byte of the next. */
  get idle(): boolean {
    return this.#stage === inHead && this.#parser.idle;
  }

  /** Whether it is as good as a new one: between two requests, with no byte, not even of an empty line. */
  get fresh(): boolean {
    return this.#stage === inHead && this.#parser.fresh;
  }

  /** Whether `head` is the request's: it isn't if the head itself was refused, or hasn't come. */
  get hasHead(): boolean {
    return this.head !== noHead;
  }

  /** The request line while there is no head, or as much of it as has come. */
  get requestLine(): string {
    return this.#parser.requestLine;
  }

  /** Bytes of the body that haven't come; Infinity when nobody knows how many. */
  get missing(): number {
    if (this.#stage === inChunkedBody) return Number.POSITIVE_INFINITY;
    return this.#stage === inLengthBody ? this.#left : 0;
  }

  /**
   * Takes bytes[start..end) up to `consumed`. "need more": all is consumed. "head": a request begins; with
   * hasBody its body follows, else the next request does. "end": the body is complete. Otherwise the name
   * of what is wrong; every later call returns it again.
   */
  read(bytes: Buffer, start: number, end: number): "need more" | "head" | "end" | RefusalName {
    switch (this.#stage) {
      case inLengthBody:
        return this.#readLength(bytes, start, end);
      case inChunkedBody:
        return this.#readChunked(bytes, start, end);
      case refused:
        return this.#refusal;
      default: {
        const parser = this.#parser;
        const whole = parser.fresh;
        const known = whole ? this.#known.find(bytes, start, end) : null;
        if (known !== null) {
          this.consumed = start + known.byteLength;
          this.head = known;
          this.body = null;
          // Of the framings with a body, heads by Content-Length alone are known.
          this.hasBody = known.contentLength > 0;
          if (this.hasBody) {
            this.#first = start === 0;
            this.#stage = inLengthBody;
            this.#left = known.contentLength;
          }
          this.expectsContinue = false;
          return "head";
        }
        this.#first = whole && start === 0;
        const step = parser.feed(bytes, start, end);
        this.consumed = parser.consumed;
        if (step !== "head") return step;
        const begun = this.#begin();
        if (whole && begun === "head" && this.#stage !== inChunkedBody && !this.expectsContinue)
          this.#known.met(this.head, bytes, start, this.consumed);
        return begun;
      }
    }
  }

  /**
   * Takes what else has come of a body that the app gathers, by `take`, which fills an array from its beginning on and
   * answers with how many bytes. To be called when all of read() is consumed. "end": the body is complete; "none":
   * nothing was taken.
   */
  receive(take: (into: Uint8Array) => number): "need more" | "end" | "none" {
    const { body } = this;
    if (this.#stage !== inLengthBody || body === null || this.#left < leastBytes) return "none";
    const atMost = this.#left - turnBytes;
    const before = this.#left;
    for (let room = body.room; room !== null && this.#left > atMost; room = body.room) {
      const count = take(room);
      if (count === 0) break;
      body.received(count);
      this.#left -= count;
      if (this.#left === 0) return this.#endBody();
    }
    return this.#left < before ? "need more" : "none";
  }

  /** Lets go of the last request, so that nothing of it is kept alive between two. */
  forget(): void {
    this.head = noHead;
    this.body = null;
  }

  #begin(): "head" | RefusalName {
    const head = this.#parser.takeHead();
    this.#parser.reset();
    this.head = head;
    this.body = null;
    const framing = frame(head);
    switch (framing) {
      case "none":
        this.hasBody = false;
        break;
      case "length":
        // RFC 9110 §15.5.14: before 100 Continue, so that the client can keep its bytes.
        if (head.contentLength > this.#maxBodyBytes) return this.#refuse("body too large");
        this.hasBody = true;
        this.#stage = inLengthBody;
        this.#left = head.contentLength;
        break;
      case "chunked":
        this.hasBody = true;
        this.#stage = inChunkedBody;
        this.#left = this.#maxBodyBytes;
        this.#chunked = new ChunkedDecoder(this.#limits, this.#options);
        break;
      default:
        return this.#refuse(framing);
    }
    // What came with the head is body, and may be half a megabyte.
    if (this.hasBody) head.detach();
    const expectation = judgeExpectation(head.expectation, head.versionMinor);
    if (expectation !== "none" && expectation !== "continue") return this.#refuse(expectation);
    this.expectsContinue = expectation === "continue" && this.hasBody;
    return "head";
  }

  #readLength(bytes: Buffer, start: number, end: number): "need more" | "end" {
    const stop = Math.min(end, start + this.#left);
    this.#left -= stop - start;
    // `buffer` costs an object, which a small body does without (bench: post-json).
    const large = stop - start >= leastBytes;
    const alone = large && this.#first && stop === bytes.length && stop === bytes.buffer.byteLength;
    this.#first = false;
    this.body?.push(bytes.subarray(start, stop), alone);
    this.consumed = stop;
    return this.#left === 0 ? this.#endBody() : "need more";
  }

  #readChunked(bytes: Buffer, start: number, end: number): "need more" | "end" | RefusalName {
    const decoder = this.#chunked as ChunkedDecoder;
    for (let at = start; ; at = decoder.consumed) {
      const step = decoder.feed(bytes, at, end);
      this.consumed = decoder.consumed;
      if (step === "data") {
        this.#left -= decoder.dataEnd - decoder.dataStart;
        if (this.#left < 0) return this.#refuse("body too large");
        this.body?.push(bytes.subarray(decoder.dataStart, decoder.dataEnd));
      } else return step === "end" ? this.#endBody() : step;
    }
  }

  #refuse(name: RefusalName): RefusalName {
    this.#stage = refused;
    this.#refusal = name;
    return name;
  }

  #endBody(): "end" {
    const trailers = this.#chunked?.trailers ?? null;
    this.#stage = inHead;
    this.#chunked = null;
    const { body } = this;
    if (body === null) return "end";
    if (trailers !== null) {
      body.trailers = trailers.takeHead();
      body.trailers.detach();
    }
    body.end();
    return "end";
  }
}

/** Reads one request after another off a connection's bytes: head, framing, expectation, body. It owns no socket and keeps no answer. */
import type { RequestBody } from "./body.ts";
import { ChunkedDecoder } from "./chunked.ts";
import type { ParseErrorName } from "./errors.ts";
import { frame } from "./framing.ts";
import { Head } from "./head.ts";
import type { Limits } from "./limits.ts";
import { RequestParser } from "./parser.ts";
import { judgeExpectation } from "./policy.ts";

const inHead = 0;
const inLengthBody = 1;
const inChunkedBody = 2;

const noHead = new Head();

export class MessageReader {
  /** After read(): where in the bytes it ended. */
  consumed = 0;
  /** From "head" on. The reader makes a new one for each request. */
  head: Head = noHead;
  hasBody = false;
  /** The client waits for 100 Continue. */
  expectsContinue = false;
  /** Where the body's bytes go: the caller sets it after "head". Null drops them. */
  body: RequestBody | null = null;
  readonly #limits: Limits;
  readonly #parser: RequestParser;
  #stage = inHead;
  #left = 0;
  #chunked: ChunkedDecoder | null = null;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#parser = new RequestParser(limits);
  }

  /** Between two requests, with no byte of the next. */
  get idle(): boolean {
    return this.#stage === inHead && this.#parser.idle;
  }

  /** Bytes of the body that haven't come; Infinity when nobody knows how many. */
  get missing(): number {
    if (this.#stage === inChunkedBody) return Number.POSITIVE_INFINITY;
    return this.#stage === inLengthBody ? this.#left : 0;
  }

  /**
   * Takes bytes[start..end) up to `consumed`. "need more": all is consumed. "head": a request begins; with
   * hasBody its body follows, else the next request does. "end": the body is complete. Otherwise the name
   * of what is wrong, and nothing more can be read.
   */
  read(bytes: Buffer, start: number, end: number): "need more" | "head" | "end" | ParseErrorName {
    switch (this.#stage) {
      case inLengthBody:
        return this.#readLength(bytes, start, end);
      case inChunkedBody:
        return this.#readChunked(bytes, start, end);
      default: {
        const step = this.#parser.feed(bytes, start, end);
        this.consumed = this.#parser.consumed;
        return step === "head" ? this.#begin() : step;
      }
    }
  }

  #begin(): "head" | ParseErrorName {
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
        this.hasBody = true;
        this.#stage = inLengthBody;
        this.#left = head.contentLength;
        break;
      case "chunked":
        this.hasBody = true;
        this.#stage = inChunkedBody;
        this.#chunked = new ChunkedDecoder(this.#limits);
        break;
      default:
        return framing;
    }
    const expectation = judgeExpectation(head.expectation, head.versionMinor);
    if (expectation !== "none" && expectation !== "continue") return expectation;
    this.expectsContinue = expectation === "continue" && this.hasBody;
    return "head";
  }

  #readLength(bytes: Buffer, start: number, end: number): "need more" | "end" {
    const stop = Math.min(end, start + this.#left);
    this.body?.push(bytes.subarray(start, stop));
    this.#left -= stop - start;
    this.consumed = stop;
    return this.#left === 0 ? this.#endBody() : "need more";
  }

  #readChunked(bytes: Buffer, start: number, end: number): "need more" | "end" | ParseErrorName {
    const decoder = this.#chunked as ChunkedDecoder;
    for (let at = start; ; at = decoder.consumed) {
      const step = decoder.feed(bytes, at, end);
      this.consumed = decoder.consumed;
      if (step === "data") this.body?.push(bytes.subarray(decoder.dataStart, decoder.dataEnd));
      else return step === "end" ? this.#endBody() : step;
    }
  }

  #endBody(): "end" {
    this.#stage = inHead;
    this.#chunked = null;
    this.body?.end();
    return "end";
  }
}

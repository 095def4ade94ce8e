/**
 * Takes the chunked coding off a body (RFC 9112 §7.1) without copying it. Invariant: nothing is scanned twice, whatever
 * the split.
 */
import { CR, LF, semicolon, hexValue, isBlank, isValueByte } from "../bytes.ts";
import type { ParseErrorName } from "../errors.ts";
import {
  maxChunkLineBytes,
  maxChunkOverheadBytes,
  maxTrailerBytes,
  type Limits,
} from "../limits.ts";
import { RequestParser, type ParserOptions } from "./parser.ts";

const beforeSize = 0;
const inSize = 1;
const beforeExtension = 2;
const inExtension = 3;
const beforeSizeLf = 4;
const inData = 5;
const afterData = 6;
const afterDataCr = 7;
const beforeTrailers = 8;
const beforeLastLf = 9;
const inTrailers = 10;
const atEnd = 11;

export class ChunkedDecoder {
  /** After any step: where in the fed bytes it ended. */
  consumed = 0;
  /** After "data": the range of the fed bytes that is body. */
  dataStart = 0;
  dataEnd = 0;
  /** After "end": the trailer section, if there was one. */
  trailers: RequestParser | null = null;
  readonly #limits: Limits;
  readonly #options: ParserOptions;
  #state = beforeSize;
  /** What is left of the current chunk. */
  #left = 0;
  #lineBytes = 0;
  #overhead = 0;
  #trailerBytes = 0;
  #failed: ParseErrorName | null = null;

  constructor(limits: Limits, options: ParserOptions = {}) {
    this.#limits = limits;
    this.#options = options;
  }

  /**
   * Takes bytes[start..end) up to `consumed`. "data": dataStart..dataEnd is body; call again from `consumed`. "need
   * more": all is consumed. "end": the body and its trailers are complete, and the next request starts at `consumed`.
   * Otherwise the name of what is wrong; every later call returns it again.
   */
  feed(bytes: Buffer, start: number, end: number): "need more" | "data" | "end" | ParseErrorName {
    if (this.#failed !== null) return this.#failed;
    let at = start;
    while (at < end) {
      if (this.#state === inData) {
        this.dataStart = at;
        at = Math.min(end, at + this.#left);
        this.dataEnd = at;
        this.#left -= at - this.dataStart;
        this.#overhead = Math.max(0, this.#overhead - (at - this.dataStart));
        if (this.#left === 0) this.#state = afterData;
        this.consumed = at;
        return "data";
      }
      if (this.#state === inTrailers) return this.#feedTrailers(bytes, at, end);
      if (this.#state === beforeTrailers && bytes[at] !== CR) {
        this.trailers = new RequestParser(this.#limits, this.#options);
        this.trailers.beginTrailers();
        this.#state = inTrailers;
        continue;
      }
      const error = this.#step(bytes[at]!);
      if (error !== null) {
        this.#failed = error;
        this.consumed = at;
        return error;
      }
      at++;
      if (this.#state === atEnd) {
        this.consumed = at;
        return "end";
      }
    }
    this.consumed = end;
    return "need more";
  }

  /** Takes one byte of what stands between two chunks. */
  #step(byte: number): ParseErrorName | null {
    switch (this.#state) {
      case beforeSize:
        this.#left = 0;
        this.#lineBytes = 0;
        this.#state = inSize;
        if (hexValue[byte] === 255) return "bad chunk size";
        return this.#size(byte);
      case inSize:
        if (++this.#lineBytes === maxChunkLineBytes && byte !== CR) return "chunk line too long";
        if (hexValue[byte] !== 255) return this.#size(byte);
        if (isBlank(byte)) this.#state = beforeExtension;
        else return this.#afterSize(byte, "bad chunk size");
        return null;
      case beforeExtension:
        // RFC 9112 §7.1.1: blanks may stand before the semicolon, and nowhere else.
        if (++this.#lineBytes === maxChunkLineBytes) return "chunk line too long";
        if (isBlank(byte)) return null;
        return byte === semicolon ? this.#afterSize(byte, "bad chunk size") : "bad chunk size";
      case inExtension:
        if (++this.#lineBytes === maxChunkLineBytes && byte !== CR) return "chunk line too long";
        // RFC 9112 §7.1.1: unrecognised extensions MUST be ignored, and ought to be limited.
        if (isValueByte[byte] === 1)
          return ++this.#overhead > maxChunkOverheadBytes ? "too many chunk extensions" : null;
        return this.#afterSize(byte, "bad chunk extension");
      case beforeSizeLf:
        if (byte !== LF) return "bad line end";
        this.#state = this.#left === 0 ? beforeTrailers : inData;
        return null;
      case afterData:
        // RFC 9112 §7.1: CRLF, right behind as many bytes as announced.
        if (byte !== CR) return "bad chunk end";
        this.#state = afterDataCr;
        return null;
      case afterDataCr:
        if (byte !== LF) return "bad chunk end";
        this.#state = beforeSize;
        return null;
      case beforeTrailers:
        this.#state = beforeLastLf;
        return null;
      default:
        if (byte !== LF) return "bad line end";
        this.#state = atEnd;
        return null;
    }
  }

  #size(digit: number): ParseErrorName | null {
    // RFC 9112 §7.1: anticipate large numerals; past this point a double would round.
    if (this.#left > (Number.MAX_SAFE_INTEGER - 15) / 16) return "bad chunk size";
    this.#left = this.#left * 16 + hexValue[digit]!;
    return null;
  }

  #afterSize(byte: number, otherwise: ParseErrorName): ParseErrorName | null {
    if (byte === semicolon) this.#state = inExtension;
    else if (byte === CR) this.#state = beforeSizeLf;
    else return byte === LF ? "bad line end" : otherwise;
    return null;
  }

  #feedTrailers(bytes: Buffer, start: number, end: number): "need more" | "end" | ParseErrorName {
    const trailers = this.trailers!;
    const stop = Math.min(end, start + maxTrailerBytes - this.#trailerBytes);
    const step = trailers.feed(bytes, start, stop);
    this.#trailerBytes += trailers.consumed - start;
    this.consumed = trailers.consumed;
    if (step === "head") {
      this.#state = atEnd;
      return "end";
    }
    if (step === "need more") {
      if (stop === end) return "need more";
      return (this.#failed = "trailers too large");
    }
    return (this.#failed = step);
  }
}

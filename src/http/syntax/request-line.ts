/** The request line, byte by byte: method, target and version (RFC 9112 §3), behind at most one empty line. */
import {
  asterisk,
  colon,
  CR,
  LF,
  slash,
  SP,
  isDigit,
  isMethodByte,
  isTargetByte,
  isTokenByte,
  latin1,
} from "../bytes.ts";
import type { ParseErrorName } from "../errors.ts";
import { isAuthority, isHostAndPort } from "./authority.ts";
import type { Head } from "./head.ts";

export interface RequestLineRules {
  readonly maxBytes: number;
  readonly permitUnconventionalMethod: boolean;
  readonly permitUnconventionalVersion: boolean;
  readonly casefoldMethod: boolean;
}

const beforeLine = 0;
const emptyLine = 1;
const afterEmptyLine = 2;
const inMethod = 3;
const inTarget = 4;
const inVersion = 5;
const beforeLf = 6;

/** Gunicorn's bounds for a conventional method. */
const minMethodBytes = 3;
const maxMethodBytes = 20;

/** `HTTP/d.d`, with 0 for a digit. */
const versionPattern = [0x48, 0x54, 0x54, 0x50, 0x2f, 0, 0x2e, 0];
const majorOffset = 5;

const tlsHandshake = 0x16;

export class RequestLine {
  /** Where in the scanned bytes the line starts; the caller moves it when it moves the bytes. */
  start = 0;
  /** Where scan() stopped. */
  position = 0;
  readonly #rules: RequestLineRules;
  readonly #methodBytes: Uint8Array;
  #state = beforeLine;

  constructor(rules: RequestLineRules) {
    this.#rules = rules;
    this.#methodBytes = rules.permitUnconventionalMethod ? isTokenByte : isMethodByte;
  }

  /** Whether no byte of the line itself has been seen. */
  get pending(): boolean {
    return this.#state <= afterEmptyLine;
  }

  /** Whether no byte has been seen at all, not even of an empty line. */
  get untouched(): boolean {
    return this.#state === beforeLine;
  }

  reset(): void {
    this.#state = beforeLine;
  }

  /** Scans from..end. "line": the line is complete, and `position` is behind its LF. */
  scan(
    bytes: Buffer,
    from: number,
    end: number,
    head: Head,
  ): "need more" | "line" | ParseErrorName {
    let at = from;
    let state = this.#state;
    if (state <= afterEmptyLine) {
      for (; ; at++) {
        if (at === end) return this.#pause(state, at);
        const byte = bytes[at]!;
        if (state === emptyLine) {
          if (byte !== LF) {
            this.start = at;
            return this.#stop("bad line end", at);
          }
          state = afterEmptyLine;
        } else if (byte === CR && state === beforeLine) {
          // RFC 9112 §2.2: ignore at least one empty line. One it is: more is no client's mistake.
          state = emptyLine;
        } else {
          break;
        }
      }
      this.start = at;
      if (bytes[at] === tlsHandshake) return this.#stop("tls on a plain port", at);
      state = inMethod;
    }

    const { start } = this;
    const limit = start + this.#rules.maxBytes;
    const stop = end < limit ? end : limit;

    if (state === inMethod) {
      const methodBytes = this.#methodBytes;
      const longest = start + maxMethodBytes;
      const methodStop = this.#rules.permitUnconventionalMethod || stop < longest ? stop : longest;
      while (at < methodStop && methodBytes[bytes[at]!] === 1) at++;
      if (at === end) return this.#pause(state, at);
      const byte = bytes[at]!;
      if (byte !== SP) return this.#stop(wrongByte(byte, at === limit, "bad method"), at);
      if (at === limit) return this.#stop("request line too long", at);
      if (at - start < (this.#rules.permitUnconventionalMethod ? 1 : minMethodBytes))
        return this.#stop("bad method", at);
      head.methodEnd = at - start;
      head.method = internMethod(bytes, start, at);
      // Before the target is judged: its form is the method's that the app will see.
      if (this.#rules.casefoldMethod) head.method = head.method.toUpperCase();
      at++;
      state = inTarget;
    }

    if (state === inTarget) {
      while (at < stop && isTargetByte[bytes[at]!] === 1) at++;
      if (at === end) return this.#pause(state, at);
      const byte = bytes[at]!;
      if (byte !== SP) return this.#stop(wrongByte(byte, at === limit, "bad target"), at);
      if (at === limit) return this.#stop("request line too long", at);
      const error = this.#judgeTarget(head, bytes, start + head.methodEnd + 1, at);
      if (error !== null) return this.#stop(error, at);
      head.targetEnd = at - start;
      at++;
      state = inVersion;
    }

    if (state === inVersion) {
      const versionStart = start + head.targetEnd + 1;
      const versionEnd = versionStart + versionPattern.length;
      const versionStop = stop < versionEnd ? stop : versionEnd;
      // Nearly every version there is (bench: parser).
      if (at === versionStart && versionStop === versionEnd && isHttp11(bytes, at)) at = versionEnd;
      for (; at < versionStop; at++) {
        const byte = bytes[at]!;
        const expected = versionPattern[at - versionStart]!;
        if (expected === 0 ? !isDigit(byte) : byte !== expected)
          return this.#stop(byte === LF ? "bad line end" : "bad version", at);
      }
      if (at === end) return this.#pause(state, at);
      const byte = bytes[at]!;
      if (byte !== CR || at < versionEnd) {
        const overLimit = at === limit && byte !== CR;
        return this.#stop(wrongByte(byte, overLimit, "bad version", "bad version"), at);
      }
      const error = this.#judgeVersion(
        head,
        bytes[versionStart + majorOffset]! - 0x30,
        bytes[at - 1]! - 0x30,
      );
      if (error !== null) return this.#stop(error, at);
      at++;
      state = beforeLf;
    }

    if (at === end) return this.#pause(state, at);
    if (bytes[at] !== LF) return this.#stop("bad line end", at);
    this.position = at + 1;
    return "line";
  }

  #pause(state: number, at: number): "need more" {
    this.#state = state;
    this.position = at;
    return "need more";
  }

  #stop(error: ParseErrorName, at: number): ParseErrorName {
    this.position = at;
    return error;
  }

  #judgeTarget(head: Head, bytes: Buffer, from: number, to: number): ParseErrorName | null {
    const connect = head.method === "CONNECT";
    // RFC 9112 §3.2.1: by far the most common form.
    if (bytes[from] === slash && !connect) {
      head.targetForm = "origin";
      return null;
    }
    const { start } = this;
    if (connect) {
      // RFC 9112 §3.2.3: CONNECT takes host and port, and nothing else does.
      if (!isHostAndPort(bytes, from, to)) return "bad target";
      head.targetForm = "authority";
      head.authorityStart = from - start;
      head.authorityEnd = to - start;
      return null;
    }
    if (bytes[from] === asterisk && to === from + 1) {
      // RFC 9113 §3.4: the preface was chosen so that HTTP/1 servers fail on it.
      if (head.method === "PRI") return "http2 preface";
      // RFC 9112 §3.2.4.
      head.targetForm = "asterisk";
      return head.method === "OPTIONS" ? null : "bad target";
    }
    // RFC 9112 §3.2.2: MUST be accepted. Any scheme, as Gunicorn does; the app sees it in url.
    let at = from;
    while (at < to && isSchemeByte(bytes[at]!, at === from)) at++;
    if (at === from || bytes[at] !== colon) return "bad target";
    if (bytes[at + 1] !== slash || bytes[at + 2] !== slash || at + 2 >= to) return "bad target";
    const authorityStart = at + 3;
    at = authorityStart;
    while (at < to && bytes[at] !== slash && bytes[at] !== 0x3f) at++;
    // RFC 9110 §4.2.1, §4.2.4: no empty host, no userinfo.
    if (!isAuthority(bytes, authorityStart, at)) return "bad target";
    head.targetForm = "absolute";
    head.authorityStart = authorityStart - start;
    head.authorityEnd = at - start;
    return null;
  }

  #judgeVersion(head: Head, major: number, minor: number): ParseErrorName | null {
    if (major === 1) {
      // RFC 9110 §2.5: a higher minor version is processed as the highest that we know.
      head.versionMinor = minor === 0 ? 0 : 1;
      return null;
    }
    if (!this.#rules.permitUnconventionalVersion) return "unsupported version";
    head.versionMinor = major === 0 ? 0 : 1;
    return null;
  }
}

function isHttp11(bytes: Buffer, at: number): boolean {
  return (
    bytes[at] === 0x48 &&
    bytes[at + 1] === 0x54 &&
    bytes[at + 2] === 0x54 &&
    bytes[at + 3] === 0x50 &&
    bytes[at + 4] === slash &&
    bytes[at + 5] === 0x31 &&
    bytes[at + 6] === 0x2e &&
    bytes[at + 7] === 0x31
  );
}

/** Names what a byte that can't stand here is: an early line end, one byte too many, or plain wrong. */
function wrongByte(
  byte: number,
  overLimit: boolean,
  error: ParseErrorName,
  endsEarly: ParseErrorName = "bad request line",
): ParseErrorName {
  if (byte === CR) return endsEarly;
  if (byte === LF) return "bad line end";
  return overLimit ? "request line too long" : error;
}

/** RFC 3986 §3.1: ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ). */
function isSchemeByte(byte: number, first: boolean): boolean {
  const letter = byte | 0x20;
  if (letter >= 0x61 && letter <= 0x7a) return true;
  return !first && (isDigit(byte) || byte === 0x2b || byte === 0x2d || byte === 0x2e);
}

const commonMethods = ["GET", "PUT", "POST", "HEAD", "PATCH", "DELETE", "OPTIONS", "CONNECT"];

/** Comparing bytes is cheaper than a slice, and gives every request the same string (bench: parser). */
function internMethod(bytes: Buffer, start: number, end: number): string {
  if (
    end - start === 3 &&
    bytes[start] === 0x47 &&
    bytes[start + 1] === 0x45 &&
    bytes[start + 2] === 0x54
  )
    return "GET";
  for (const method of commonMethods) {
    if (method.length !== end - start) continue;
    let index = 0;
    while (index < method.length && method.charCodeAt(index) === bytes[start + index]) index++;
    if (index === method.length) return method;
  }
  return latin1(bytes, start, end);
}

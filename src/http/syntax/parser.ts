/**
 * The parser of request heads and of trailer sections (RFC 9112 §2 to §5), whose lines RequestLine and FieldLines read.
 *
 * Invariants: no byte is looked at twice, whatever the split; which byte is refused, and why, doesn't depend on the
 * split; after an error nothing more is parsed. Offsets are relative to the head's first byte, so that they survive the
 * move from a received chunk to the buffer of a head that came in pieces.
 */
import { CR, latin1, LF } from "../bytes.ts";
import type { ParseErrorName } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { HeaderMap } from "../message/policy.ts";
import { FieldLines } from "./field-lines.ts";
import { Head } from "./head.ts";
import { RequestLine } from "./request-line.ts";

export interface ParserOptions {
  readonly permitUnconventionalMethod?: boolean;
  readonly permitUnconventionalVersion?: boolean;
  readonly casefoldMethod?: boolean;
  readonly stripHeaderSpaces?: boolean;
  readonly permitObsoleteFolding?: boolean;
  /** Default: "drop". */
  readonly headerMap?: HeaderMap;
  /** Upper-case names with `_` that a trusted peer may send whatever headerMap says; `*` for all. */
  readonly forwarderHeaders?: readonly string[];
}

/** Stands for "unlimited" in offset arithmetic that stays within 32 bits. */
const unlimited = 2 ** 30;

/** How much of a chunk is copied at a time when a head came in pieces: the body behind it is not. */
const pieceBytes = 4096;

/** How much is told of a request line that can't be read: Gunicorn's own limit to one. */
const toldBytes = 8190;

const noBytes = Buffer.alloc(0);

export class RequestParser {
  /** After "head" or an error: where in the fed bytes it ended. */
  consumed = 0;
  /** Bytes looked at or copied so far: the linearity test reads it. */
  scanned = 0;
  readonly #line: RequestLine;
  readonly #fieldLines: FieldLines;
  #head = new Head();
  /** Whether nothing has been written to #head. */
  #unwritten = true;
  #inRequestLine = true;
  #failed: ParseErrorName | null = null;
  /** The request line of a head that was refused. */
  #failedLine = "";
  /** Where the head starts in the bytes that are being scanned. */
  #base = 0;
  /** The head so far, when it came in pieces. */
  #kept: Buffer = noBytes;
  #keptLength = 0;

  constructor(limits: Limits, options: ParserOptions = {}) {
    this.#line = new RequestLine({
      maxBytes: Math.min(limits.requestLine, unlimited),
      permitUnconventionalMethod: options.permitUnconventionalMethod ?? false,
      permitUnconventionalVersion: options.permitUnconventionalVersion ?? false,
      casefoldMethod: options.casefoldMethod ?? false,
    });
    this.#fieldLines = new FieldLines({
      maxFields: limits.fields,
      maxFieldBytes: Math.min(limits.fieldSize, unlimited),
      stripHeaderSpaces: options.stripHeaderSpaces ?? false,
      permitObsoleteFolding: options.permitObsoleteFolding ?? false,
      headerMap: options.headerMap ?? "drop",
      forwarderHeaders: options.forwarderHeaders ?? [],
    });
  }

  /** What the last feed() that returned "head" read. It is cleared by reset(), unless it was taken. */
  get head(): Head {
    return this.#head;
  }

  /** Whether nothing of a request has arrived since the last reset, except an empty line perhaps. */
  get idle(): boolean {
    return this.#inRequestLine && this.#line.pending;
  }

  /** Nothing has been fed since the last reset, not even of an empty line, and nothing has been refused. */
  get fresh(): boolean {
    return this.#failed === null && this.#inRequestLine && this.#line.untouched;
  }

  /** For logs: the request line of a head that was refused or isn't complete, or what has come of it, as Latin-1. */
  get requestLine(): string {
    return this.#failed === null ? lineIn(this.#kept, 0, this.#keptLength) : this.#failedLine;
  }

  /** Whether the peer is in forwarded_allow_ips; the connection sets it once. */
  set trusted(trusted: boolean) {
    this.#fieldLines.trusted = trusted;
  }

  /** Gives the head away for good: for whoever needs it beyond reset(). */
  takeHead(): Head {
    const head = this.#head;
    this.#head = new Head();
    this.#unwritten = true;
    return head;
  }

  /** Makes ready for the next request of the connection. An error is final: it stays. */
  reset(): void {
    this.#line.reset();
    this.#fieldLines.reset();
    if (!this.#unwritten) this.#head.clear();
    this.#unwritten = true;
    this.#inRequestLine = true;
    this.#kept = noBytes;
    this.#keptLength = 0;
  }

  /** Reads a trailer section instead of a head: field lines and the empty line (RFC 9112 §7.1.2). */
  beginTrailers(): void {
    this.reset();
    this.#inRequestLine = false;
    this.#fieldLines.trailers = true;
  }

  /**
   * Takes bytes[start..end). "need more": all are consumed, and nothing refers to `bytes` any more. "head": the head,
   * or the trailer section, is complete and ends at `consumed`; it refers to `bytes`; call reset() before the next
   * feed. Otherwise the name of what is wrong; every later call returns it again.
   */
  feed(bytes: Buffer, start: number, end: number): "need more" | "head" | ParseErrorName {
    if (this.#failed !== null) return this.#failed;
    if (this.#keptLength > 0) return this.#feedPieces(bytes, start, end);
    this.#base = start;
    const step = this.#scan(bytes, start, end);
    this.scanned += this.consumed - start;
    if (step !== "need more") return step;
    // Leading empty lines aren't part of the head.
    if (end > this.#base && !this.idle) this.#keep(bytes, this.#base, end);
    return step;
  }

  #feedPieces(bytes: Buffer, start: number, end: number): "need more" | "head" | ParseErrorName {
    for (let at = start; at < end;) {
      const pieceEnd = Math.min(end, at + pieceBytes);
      const before = this.#keptLength;
      this.#keep(bytes, at, pieceEnd);
      const step = this.#scan(this.#kept, before, this.#keptLength);
      this.scanned += this.consumed - before;
      this.consumed = at + this.consumed - before;
      if (step !== "need more") return step;
      at = pieceEnd;
    }
    this.consumed = end;
    return "need more";
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const length = this.#keptLength + end - start;
    if (length > this.#kept.length) {
      // Doubling: a head of n bytes costs less than 2n bytes of copying, however it arrives.
      const grown = Buffer.allocUnsafeSlow(Math.max(1024, 2 ** Math.ceil(Math.log2(length))));
      this.#kept.copy(grown, 0, 0, this.#keptLength);
      this.scanned += this.#keptLength;
      this.#kept = grown;
    }
    bytes.copy(this.#kept, this.#keptLength, start, end);
    this.scanned += end - start;
    this.#keptLength = length;
    this.#base = 0;
    this.#line.start = 0;
  }

  #scan(bytes: Buffer, from: number, end: number): "need more" | "head" | ParseErrorName {
    const head = this.#head;
    this.#unwritten = false;
    const line = this.#line;
    let at = from;
    if (this.#inRequestLine) {
      const step = line.scan(bytes, from, end, head);
      at = line.position;
      this.#base = line.start;
      if (step !== "line") return this.#stop(step, at, bytes, end);
      this.#inRequestLine = false;
    }
    const step = this.#fieldLines.scan(bytes, this.#base, at, end, head);
    at = this.#fieldLines.position;
    if (step !== "done") return this.#stop(step, at, bytes, end);
    // RFC 9112 §3.2: HTTP/1.1 without Host MUST be answered with 400.
    if (head.hostField === -1 && head.versionMinor >= 1 && !this.#fieldLines.trailers)
      return this.#stop("missing host", at, bytes, end);
    head.complete(bytes, this.#base, at);
    this.consumed = at;
    return "head";
  }

  #stop(
    step: "need more" | ParseErrorName,
    at: number,
    bytes: Buffer,
    end: number,
  ): "need more" | ParseErrorName {
    this.consumed = at;
    if (step !== "need more") {
      this.#failed = step;
      this.#failedLine = lineIn(bytes, this.#base, end);
      this.#kept = noBytes;
    }
    return step;
  }
}

/** The line that starts at `start`, without its end. */
function lineIn(bytes: Buffer, start: number, end: number): string {
  const stop = Math.min(end, start + toldBytes);
  let at = start;
  while (at < stop && bytes[at] !== CR && bytes[at] !== LF) at++;
  return latin1(bytes, start, at);
}

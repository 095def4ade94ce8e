/**
 * The only place that decides how long the body of a request is (RFC 9112 §6). Everything else asks here; nobody
 * guesses.
 */
import { isDigit, readList, word } from "../bytes.ts";

/**
 * What the Transfer-Encoding fields of a head amount to so far, read as one list. "compressed" is a list of codings
 * that we know by name and don't decode, still without chunked behind them.
 */
export type TransferCoding = "none" | "compressed" | "chunked" | "unsupported" | "bad";

/** The facts that decide; a RequestParser has them after "head". */
export interface FramingFacts {
  readonly versionMinor: number;
  /** -1 when there is no Content-Length. */
  readonly contentLength: number;
  readonly transferCoding: TransferCoding;
}

/**
 * "length" means contentLength bytes, at least one; "none" means that the next request starts right behind the head.
 */
export type Framing = "none" | "length" | "chunked";

export type FramingError =
  | "bad transfer-encoding"
  | "content-length with transfer-encoding"
  | "transfer-encoding on http/1.0"
  | "unsupported transfer-encoding";

/**
 * One request's framing, or the name of the error that makes it undecidable: then the connection can't be used again.
 */
export function frame(head: FramingFacts): Framing | FramingError {
  if (head.transferCoding !== "none") {
    // RFC 9112 §6.1: Transfer-Encoding in an HTTP/1.0 message MUST be treated as faulty framing.
    if (head.versionMinor < 1) return "transfer-encoding on http/1.0";
    // RFC 9112 §6.3 rule 3: both lengths present; likely request smuggling. Refuse, never guess.
    if (head.contentLength !== -1) return "content-length with transfer-encoding";
    // RFC 9112 §6.3 rule 4, §7: chunked not last, or applied twice: the length can't be known, MUST be 400.
    if (head.transferCoding === "bad" || head.transferCoding === "compressed")
      return "bad transfer-encoding";
    // RFC 9112 §6.1: a coding that we don't decode SHOULD be 501, whatever follows it.
    if (head.transferCoding === "unsupported") return "unsupported transfer-encoding";
    // RFC 9112 §6.3 rule 4: chunked once and last.
    return "chunked";
  }
  // RFC 9112 §6.3 rule 7: neither field: a request without them has no body.
  // RFC 9112 §6.3 rule 6: a valid Content-Length, and 0 leaves nothing to read.
  return head.contentLength > 0 ? "length" : "none";
}

/** The value of a Content-Length field, or -1 when it isn't one number. */
export function readContentLength(bytes: Uint8Array, start: number, end: number): number {
  // RFC 9110 §8.6: 1*DIGIT. The list of equal values that it allows to repair is refused, as Gunicorn does.
  if (start === end) return -1;
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (!isDigit(byte)) return -1;
    length = length * 10 + (byte - 0x30);
    // RFC 9110 §8.6: anticipate large numerals; past this point a double would round.
    if (length > Number.MAX_SAFE_INTEGER) return -1;
  }
  return length;
}

const codings = ["chunked", "gzip", "x-gzip", "deflate", "compress", "x-compress"].map(word);

/** Appends one Transfer-Encoding field to what the fields before it amount to. */
export function readTransferCoding(
  before: TransferCoding,
  bytes: Uint8Array,
  start: number,
  end: number,
): TransferCoding {
  let coding = before;
  for (const element of readList(bytes, start, end, codings)) {
    if (coding === "bad" || coding === "unsupported") return coding;
    // An empty element is harmless in other lists (RFC 9110 §5.6.1.2). Here two readers would differ: refuse, as
    // Gunicorn does.
    if (element === -2) coding = "bad";
    // RFC 9112 §7: names that we don't know, "identity" among them, and chunked with parameters, which it hasn't.
    else if (element === -1) coding = "unsupported";
    // RFC 9112 §6.3 rule 4, §7: nothing may follow chunked, itself included.
    else if (coding === "chunked") coding = "bad";
    else if (element > 0) coding = "compressed";
    else coding = coding === "compressed" ? "unsupported" : "chunked";
  }
  return coding;
}

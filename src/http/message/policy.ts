/**
 * Rules for single fields, as pure functions: Expect (RFC 9110 §10.1.1), names that contain `_`, and trailers (RFC 9110
 * §6.5.1).
 */
import { readList, word } from "../bytes.ts";

/** What the Expect fields of a head amount to. */
export type Expectation = "none" | "continue" | "unknown";

/** What to do with field names that contain `_`: Gunicorn's header_map. */
export type HeaderMap = "drop" | "refuse" | "dangerous";

const expectations = [word("100-continue")];

/** Appends one Expect field to what the fields before it amount to. */
export function readExpectation(
  before: Expectation,
  bytes: Uint8Array,
  start: number,
  end: number,
): Expectation {
  if (before === "unknown") return before;
  // RFC 9110 §10.1.1: a list of expectations, of which 100-continue is the only one defined. An empty value is none of
  // them.
  return readList(bytes, start, end, expectations).every((element) => element === 0)
    ? "continue"
    : "unknown";
}

/** "continue": the client waits for `100 Continue`, and gets it when the app first reads the body, or never. */
export function judgeExpectation(
  expectation: Expectation,
  versionMinor: number,
): "none" | "continue" | "unknown expectation" {
  // RFC 9110 §10.1.1: any other expectation MAY be answered with 417; Gunicorn does, on 1.0 too.
  if (expectation === "unknown") return "unknown expectation";
  // RFC 9110 §10.1.1: a 100-continue expectation in an HTTP/1.0 request MUST be ignored.
  return versionMinor >= 1 ? expectation : "none";
}

/**
 * Decides on a field name that contains `_`, which a gateway can't tell from one with `-` once both are written as CGI
 * variables. `trusted` is what forwarder_headers grants a peer in forwarded_allow_ips.
 */
export function judgeUnderscore(
  name: string,
  headerMap: HeaderMap,
  trusted: boolean,
  forwarderHeaders: readonly string[],
): "keep" | "drop" | "refuse" {
  if (trusted && (forwarderHeaders.includes("*") || forwarderHeaders.includes(name.toUpperCase())))
    return "keep";
  return headerMap === "dangerous" ? "keep" : headerMap;
}

/**
 * RFC 9110 §6.5.1: fields that frame, route or authenticate a message can't come after it. The list is Gunicorn's, with
 * the fields that our own parser acts on.
 */
const forbiddenTrailers: ReadonlySet<string> = new Set([
  "authorization",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "cookie",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

export function isForbiddenTrailer(name: string): boolean {
  return forbiddenTrailers.has(name.toLowerCase());
}

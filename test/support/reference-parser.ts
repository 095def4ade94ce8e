/**
 * A second reader of requests, made to be compared with the real one: it takes the whole input as a string of bytes, follows
 * RFC 9112 and docs/http.md with regular expressions, and shares no code with src/http but its types and published limits.
 */
import type { ParseErrorName, RefusalName } from "../../src/http/errors.ts";
import {
  maxChunkLineBytes,
  maxChunkOverheadBytes,
  maxTrailerBytes,
  type Limits,
} from "../../src/http/limits.ts";
import type { ParserOptions } from "../../src/http/syntax/parser.ts";

/** The rules under which both readers read. */
export interface Rules {
  readonly limits: Limits;
  readonly options: ParserOptions;
  readonly trusted: boolean;
  readonly maxBodyBytes: number;
}

/** One request, as far as it came. */
export interface Message {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly versionMinor: number;
  readonly fields: readonly string[];
  /** "none", "length 5", "chunked". */
  readonly framing: string;
  readonly expectsContinue: boolean;
  readonly persistent: boolean;
  body: string;
  /** Where the input goes on behind the body; -1 when that isn't known yet. */
  end: number;
}

export interface Reading {
  readonly messages: readonly Message[];
  /** Everything that is wrong with the first thing that is: each is a reason to refuse. Null when nothing is. */
  readonly faults: ReadonlySet<RefusalName> | null;
}

/** Reads requests until one is refused or incomplete; that one is missing if its head is. */
export function readAll(text: string, rules: Rules): Reading {
  const messages: Message[] = [];
  for (let at = 0; ;) {
    const head = readHead(text, at, rules);
    if (head === null) return { messages, faults: null };
    if (head.faults.size > 0) return { messages, faults: head.faults };
    const { message, bodyStart } = head;
    messages.push(message);
    const faults = readBody(text, bodyStart, message, rules);
    if (faults !== null) return { messages, faults };
    if (message.end === -1) return { messages, faults: null };
    at = message.end;
  }
}

type Faults = Set<RefusalName>;

interface ReadHead {
  readonly faults: Faults;
  readonly message: Message;
  readonly bodyStart: number;
}

function readHead(text: string, from: number, rules: Rules): ReadHead | null {
  const start = text.startsWith("\r\n", from) ? from + 2 : from;
  // A head ends at its first empty line, wherever the line before ended.
  const end = text.indexOf("\r\n\r\n", start);
  if (end === -1) return null;
  const [requestLine = "", ...fieldLines] = text.slice(start, end).split("\r\n");
  const faults: Faults = new Set();
  const line = readRequestLine(requestLine, rules, faults);
  const fields = readFields(fieldLines, rules, faults, false);
  const values = (name: string) => fields.filter((field) => field.name === name).map(valueOf);
  const hosts = values("host");
  if (hosts.length > 1) faults.add("repeated host");
  if (hosts.some((host) => host !== "" && !isAuthority(host))) faults.add("bad host");
  if (hosts.length === 0 && line.versionMinor === 1) faults.add("missing host");
  if (values("content-type").length > 1) faults.add("repeated content-type");
  const framing = readFraming(values("content-length"), values("transfer-encoding"), line, faults);
  if (framing.length > rules.maxBodyBytes) faults.add("body too large");
  const expectations = values("expect").flatMap(listOf);
  if (expectations.some((word) => word !== "100-continue")) faults.add("unknown expectation");
  const connection = values("connection").flatMap(listOf);
  const persists = line.versionMinor === 1 || connection.includes("keep-alive");
  const message: Message = {
    method: line.method,
    target: line.target,
    authority: line.authority ?? hosts[0] ?? "",
    versionMinor: line.versionMinor,
    fields: fields.map((field) => `${field.spelled}: ${field.value}`),
    framing: framing.text,
    expectsContinue: expectations.length > 0 && line.versionMinor === 1 && framing.text !== "none",
    persistent: persists && !connection.includes("close"),
    body: "",
    end: -1,
  };
  return { faults, message, bodyStart: end + 4 };
}

// The request line

interface RequestLine {
  readonly method: string;
  readonly target: string;
  /** The target's own. */
  readonly authority: string | null;
  readonly versionMinor: number;
}

const malformed: readonly ParseErrorName[] = [
  "bad request line",
  "bad method",
  "bad target",
  "bad version",
  "bad line end",
];

function readRequestLine(given: string, { limits, options }: Rules, faults: Faults): RequestLine {
  // Behind a bare CR the line can only get worse.
  const text = given.split("\r")[0]!;
  const add = (names: readonly RefusalName[]) => names.forEach((name) => faults.add(name));
  if (text !== given) add(malformed);
  if (text.startsWith("\x16")) faults.add("tls on a plain port");
  const folded = options.casefoldMethod === true ? text.toUpperCase() : text;
  if (folded.startsWith("PRI * ")) faults.add("http2 preface");
  if (text.length > limits.requestLine) faults.add("request line too long");
  const words = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-"$-~]+) HTTP\/(\d)\.(\d)$/.exec(text);
  if (words === null) {
    add(malformed);
    return { method: "", target: "", authority: null, versionMinor: 0 };
  }
  const [, word = "", target = "", major, minor] = words;
  if (!options.permitUnconventionalMethod && !/^[^#a-z]{3,20}$/.test(word))
    faults.add("bad method");
  const method = options.casefoldMethod === true ? word.toUpperCase() : word;
  if (major !== "1" && options.permitUnconventionalVersion !== true)
    faults.add("unsupported version");
  const versionMinor = major === "0" || (major === "1" && minor === "0") ? 0 : 1;
  const authority = readTarget(method, target);
  if (authority === "bad") faults.add("bad target");
  return { method, target, authority: authority?.slice(1) ?? null, versionMinor };
}

/** The target's authority behind an `@`, null if its form has none, "bad" if the form isn't the method's. */
function readTarget(method: string, target: string): string | null {
  if (method === "CONNECT")
    return isAuthority(target) && /:0*[1-9]\d*$/.test(target) ? `@${target}` : "bad";
  if (target.startsWith("/")) return null;
  if (target === "*") return method === "OPTIONS" ? null : "bad";
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/([^/?]*)/i.exec(target);
  if (absolute === null || !isAuthority(absolute[1]!)) return "bad";
  return `@${absolute[1]}`;
}

function isAuthority(text: string): boolean {
  const parts =
    /^(?:\[([0-9A-Fa-f:.]+)\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::(\d*))?$/.exec(
      text,
    );
  if (parts === null || Number(parts[2] ?? 0) > 65_535) return false;
  return parts[1] === undefined || isIPv6(parts[1]);
}

/** RFC 3986 §3.2.2: eight groups, the last two perhaps as an IPv4 address, or fewer around one `::`. */
function isIPv6(text: string): boolean {
  const octet = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
  const halves = text.replace(new RegExp(`(?<=:)${octet}(\\.${octet}){3}$`), "0:0").split("::");
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const counts = halves.length === 1 ? groups.length === 8 : groups.length <= 7;
  return halves.length <= 2 && counts && groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group));
}

// Field lines

interface Field {
  readonly spelled: string;
  /** In lower case. */
  readonly name: string;
  readonly value: string;
}

const valueOf = (field: Field): string => field.value;

function readFields(
  lines: readonly string[],
  { limits, options, trusted }: Rules,
  faults: Faults,
  inTrailers: boolean,
): Field[] {
  const unfolded: { text: string; bytes: number }[] = [];
  for (const line of lines) {
    const last = unfolded.at(-1);
    if (!/^[ \t]/.test(line)) {
      unfolded.push({ text: line, bytes: line.length + 2 });
      // In a folded line it comes too late.
      if (!line.includes(":")) faults.add("bad field name");
      continue;
    }
    if (last === undefined || options.permitObsoleteFolding !== true)
      faults.add("obsolete folding");
    if (last === undefined) continue;
    last.text += `  ${line}`;
    last.bytes += line.length + 2;
  }
  if (unfolded.length > limits.fields) faults.add("too many fields");
  return unfolded.flatMap(({ text, bytes }) => {
    if (bytes > limits.fieldSize) faults.add("field too large");
    if (/[\r\n]/.test(text)) faults.add("bad line end");
    const colon = text.indexOf(":");
    const blanks = options.stripHeaderSpaces === true ? /[ \t]+$/ : /$/;
    const spelled = text.slice(0, Math.max(0, colon)).replace(blanks, "");
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(spelled)) faults.add("bad field name");
    const value = text.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    if (!/^[\t -~\x80-\xff]*$/.test(value)) faults.add("bad field value");
    const name = spelled.toLowerCase();
    if (name.includes("_") && !isForwarder(name, options, trusted && !inTrailers)) {
      if (options.headerMap === "refuse") faults.add("bad field name");
      if (options.headerMap !== "dangerous") return [];
    }
    if (inTrailers && forbiddenTrailers.includes(name)) faults.add("forbidden trailer");
    return [{ spelled, name, value }];
  });
}

function isForwarder(name: string, options: ParserOptions, trusted: boolean): boolean {
  const names = options.forwarderHeaders ?? [];
  return trusted && (names.includes("*") || names.includes(name.toUpperCase()));
}

const forbiddenTrailers =
  "authorization connection content-encoding content-length content-range content-type cookie expect host keep-alive proxy-authorization te trailer transfer-encoding upgrade".split(
    " ",
  );

/** The elements of a comma list, in lower case. */
function listOf(value: string): string[] {
  return value.split(",").map((element) => element.replace(/^[ \t]+|[ \t]+$/g, "").toLowerCase());
}

// Framing and body

function readFraming(
  lengths: readonly string[],
  encodings: readonly string[],
  line: RequestLine,
  faults: Faults,
): { readonly text: string; readonly length: number } {
  if (lengths.length > 1) faults.add("repeated content-length");
  const valid = lengths.every(
    (length) => /^\d+$/.test(length) && BigInt(length) <= Number.MAX_SAFE_INTEGER,
  );
  if (!valid) faults.add("bad content-length");
  if (encodings.length > 0) {
    const codings = encodings.flatMap(listOf).map(letterOf).join("");
    if (line.versionMinor === 0) faults.add("transfer-encoding on http/1.0");
    else if (lengths.length > 0) faults.add("content-length with transfer-encoding");
    else if (/^(C|K*)U|^K+C/.test(codings)) faults.add("unsupported transfer-encoding");
    else if (codings !== "C") faults.add("bad transfer-encoding");
    return { text: "chunked", length: 0 };
  }
  const length = valid ? Number(lengths[0] ?? 0) : 0;
  return length === 0 ? { text: "none", length } : { text: `length ${length}`, length };
}

/** Chunked, another coding that is Known by name, Empty, or Unknown. */
function letterOf(coding: string): string {
  if (coding === "chunked") return "C";
  if (/^(x-)?(gzip|compress)$|^deflate$/.test(coding)) return "K";
  return coding === "" ? "E" : "U";
}

/** Fills in the message's body and end. */
function readBody(text: string, from: number, message: Message, rules: Rules): Faults | null {
  if (message.framing === "chunked") return readChunks(text, from, message, rules);
  const length = Number(message.framing.split(" ")[1] ?? 0);
  message.body = text.slice(from, from + length);
  if (message.body.length === length) message.end = from + length;
  return null;
}

function readChunks(text: string, from: number, message: Message, rules: Rules): Faults | null {
  let overhead = 0;
  for (let at = from; ;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd === -1) return null;
    const line = text.slice(at, lineEnd);
    const faults: Faults = new Set();
    const parts = /^([0-9a-f]+)(?:[ \t]*;([\t -~\x80-\xff]*))?$/i.exec(line);
    const size = parts === null ? 0n : BigInt(`0x${parts[1]}`);
    if (parts === null || size > Number.MAX_SAFE_INTEGER) faults.add("bad chunk size");
    if (parts === null) faults.add("bad line end").add("bad chunk extension");
    if (line.length > maxChunkLineBytes) faults.add("chunk line too long");
    overhead += /;(.*)$/s.exec(line)?.[1]?.length ?? 0;
    if (overhead > maxChunkOverheadBytes) faults.add("too many chunk extensions");
    if (faults.size > 0) return faults;
    if (size === 0n) return readTrailers(text, lineEnd + 2, message, rules);
    const data = text.slice(lineEnd + 2, lineEnd + 2 + Number(size));
    message.body += data;
    overhead = Math.max(0, overhead - data.length);
    if (message.body.length > rules.maxBodyBytes) return new Set(["body too large"]);
    at = lineEnd + 2 + Number(size);
    const behind = text.slice(at, at + 2);
    if (!"\r\n".startsWith(behind)) return new Set(["bad chunk end"]);
    if (behind.length < 2) return null;
    at += 2;
  }
}

function readTrailers(text: string, from: number, message: Message, rules: Rules): Faults | null {
  if (text.startsWith("\r\n", from)) {
    message.end = from + 2;
    return null;
  }
  const end = text.indexOf("\r\n\r\n", from);
  if (end === -1) return null;
  const faults: Faults = new Set();
  readFields(text.slice(from, end).split("\r\n"), rules, faults, true);
  if (end + 4 - from > maxTrailerBytes) faults.add("trailers too large");
  if (faults.size > 0) return faults;
  message.end = end + 4;
  return null;
}

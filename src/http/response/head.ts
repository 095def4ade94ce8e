/** The head of an answer as text (RFC 9112 §4, §5), one character for each byte. */
import { reasonPhrase } from "../errors.ts";
import type { Head } from "../syntax/head.ts";

/** What an answer depends on besides the Response. A connection keeps one and changes it from request to request. */
export interface ResponseContext {
  /** The method is HEAD: the same head as for GET, no body. */
  head: boolean;
  versionMinor: number;
  /** Whether the connection would persist if the answer allows it. */
  keepAlive: boolean;
  /** The Date field's value, as httpDate() makes it. */
  date: string;
  /** What is answered; null: nothing of it is known. */
  request: Head | null;
}

/** A context that says nothing yet. */
export function newContext(): ResponseContext {
  return { head: false, versionMinor: 1, keepAlive: true, date: "", request: null };
}

/** The fields that an app has set, sorted by what the server makes of them. */
export interface AppFields {
  /** `name: value` lines of all that are passed on. */
  readonly lines: string;
  readonly contentType: boolean;
  /** The app's Content-Length, which framing checks. */
  readonly contentLength: string | null;
  /** The names that the app announces as trailers. */
  readonly trailer: string | null;
  readonly contentEncoding: boolean;
  readonly contentRange: boolean;
  readonly contentDisposition: boolean;
  readonly date: boolean;
  readonly server: boolean;
  /** The app asks for the connection to end. */
  readonly close: boolean;
  /** All of `lines` is ASCII: so is the head then. */
  readonly ascii: boolean;
}

export const noFields: AppFields = {
  lines: "",
  contentType: false,
  contentLength: null,
  trailer: null,
  contentEncoding: false,
  contentRange: false,
  contentDisposition: false,
  date: false,
  server: false,
  close: false,
  ascii: true,
};

/** What addField() fills: the callback of forEach is shared, so that no answer costs a closure (bench: hello). */
let lines = "";
let contentLength: string | null = null;
let trailer: string | null = null;
let flags = 0;

const contentTypeBit = 1;
const contentEncodingBit = 2;
const contentRangeBit = 4;
const dateBit = 8;
const serverBit = 16;
const closeBit = 32;
const notAsciiBit = 64;
const contentDispositionBit = 128;
const anyBit = 256;

/** Reads the fields of a Response once. Repeated Set-Cookie come one by one and stay apart (RFC 9110 §5.3). */
export function readAppFields(headers: Headers): AppFields {
  // Most small answers have none; forEach would make an iterator to find that out (bench: hello).
  if (headers.count === 0) return noFields;
  lines = "";
  contentLength = null;
  trailer = null;
  flags = 0;
  headers.forEach(addField);
  return takeFields();
}

function takeFields(): AppFields {
  if (flags === 0) return noFields;
  return {
    lines,
    contentType: (flags & contentTypeBit) !== 0,
    contentLength,
    trailer,
    contentEncoding: (flags & contentEncodingBit) !== 0,
    contentRange: (flags & contentRangeBit) !== 0,
    contentDisposition: (flags & contentDispositionBit) !== 0,
    date: (flags & dateBit) !== 0,
    server: (flags & serverBit) !== 0,
    close: (flags & closeBit) !== 0,
    ascii: (flags & notAsciiBit) === 0,
  };
}

/** The same of names and values in turn, whose names keep their case, and whose lines stay apart. */
export function readFlatFields(flat: readonly string[]): AppFields {
  lines = "";
  contentLength = null;
  trailer = null;
  flags = 0;
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at]!;
    addLine(name.toLowerCase(), flat[at + 1]!, name);
  }
  return takeFields();
}

function addField(value: string, name: string): void {
  addLine(name, value, name);
}

/** `name` in lower case, `shown` as it is sent. */
function addLine(name: string, value: string, shown: string): void {
  flags |= anyBit;
  switch (name) {
    // RFC 9110 §7.6.1 and RFC 9112 §6: these describe the connection, which is the server's. `close` is heard.
    case "connection":
      if (/(?:^|,)\s*close\s*(?:,|$)/i.test(value)) flags |= closeBit;
      return;
    case "keep-alive":
    case "proxy-authenticate":
    case "proxy-authorization":
    case "proxy-authentication-info":
    case "proxy-connection":
    case "te":
    case "transfer-encoding":
    case "upgrade":
      return;
    case "content-length":
      contentLength = value;
      return;
    case "trailer":
      trailer = trailer === null ? value : `${trailer}, ${value}`;
      return;
    case "content-type":
      flags |= contentTypeBit;
      break;
    case "content-encoding":
      flags |= contentEncodingBit;
      break;
    case "content-range":
      flags |= contentRangeBit;
      break;
    case "content-disposition":
      flags |= contentDispositionBit;
      break;
    // Unlike Gunicorn's, an app's Date and Server win over ours, as in Bun.serve.
    case "date":
      flags |= dateBit;
      break;
    case "server":
      flags |= serverBit;
      break;
    default:
  }
  // Each value is asked: to ask all lines at the end would build that string once more (bench: hello).
  if (Buffer.byteLength(value) !== value.length) flags |= notAsciiBit;
  lines += `${shown}: ${value}\r\n`;
}

const serverLine = "Server: gunicorn-ts\r\n";

/** Status line, Server and Date, by status, for the date below: the same for nearly all answers of a second. */
let commonStarts: string[] = [];
let commonDate = "";

/** The last head of an answer without fields, and what it was made for: small answers tend to repeat (bench: hello). */
let lastHead = "";
let lastFlat = false;
let lastDate = "";
let lastStatus = 0;
let lastLength = -1;
let lastType = "";
let lastKeepAlive = false;
let lastVersionMinor = 0;

/** Lines of short lengths, with the empty line behind them. */
const lengthLines: string[] = [];
const rememberedLengths = 2048;

/** A phrase that can't end the line. RFC 9112 §4 allows obs-text, but no client needs it. */
const safePhrase = /^[\t\x20-\x7e]+$/;

/** Everything but the framing fields and the empty line. `type` is sent when the app has set no Content-Type. */
export function startHead(
  status: number,
  statusText: string,
  fields: AppFields,
  type: string,
  keepAlive: boolean,
  context: ResponseContext,
): string {
  let head: string;
  if (statusText === "" && !fields.date && !fields.server) {
    head = commonStart(status, context.date);
  } else {
    const phrase = safePhrase.test(statusText) ? statusText : reasonPhrase(status);
    head = `HTTP/1.1 ${status} ${phrase}\r\n`;
    if (!fields.server) head += serverLine;
    if (!fields.date) head += `Date: ${context.date}\r\n`;
  }
  // RFC 9112 §9.3: 1.1 persists unless told otherwise, 1.0 closes unless told otherwise.
  if (!keepAlive) head += "Connection: close\r\n";
  else if (context.versionMinor === 0) head += "Connection: keep-alive\r\n";
  head += fields.lines;
  if (type !== "" && !fields.contentType) head += `Content-Type: ${type}\r\n`;
  return head;
}

/** The whole head of an answer whose body has `length` bytes. */
export function fixedHead(
  status: number,
  statusText: string,
  fields: AppFields,
  type: string,
  length: number,
  keepAlive: boolean,
  context: ResponseContext,
): string {
  if (fields !== noFields || statusText !== "") {
    return startHead(status, statusText, fields, type, keepAlive, context) + lengthLine(length);
  }
  if (
    length === lastLength &&
    status === lastStatus &&
    type === lastType &&
    keepAlive === lastKeepAlive &&
    context.versionMinor === lastVersionMinor &&
    context.date === lastDate
  ) {
    if (!lastFlat) {
      flatten(lastHead);
      lastFlat = true;
    }
    return lastHead;
  }
  lastHead = startHead(status, "", noFields, type, keepAlive, context) + lengthLine(length);
  lastFlat = false;
  lastDate = context.date;
  lastStatus = status;
  lastLength = length;
  lastType = type;
  lastKeepAlive = keepAlive;
  lastVersionMinor = context.versionMinor;
  return lastHead;
}

function lengthLine(length: number): string {
  if (length >= rememberedLengths) return `Content-Length: ${length}\r\n\r\n`;
  const line = lengthLines[length];
  if (line !== undefined) return line;
  const made = `Content-Length: ${length}\r\n\r\n`;
  flatten(made);
  lengthLines[length] = made;
  return made;
}

/**
 * Makes one piece of a text that was joined. JSC joins lazily, and again for each text that such a one becomes part of;
 * a match needs it in one piece, and that piece stays.
 */
function flatten(text: string): void {
  safePhrase.test(text);
}

function commonStart(status: number, date: string): string {
  if (date !== commonDate) {
    commonDate = date;
    commonStarts = [];
  }
  const start = commonStarts[status];
  if (start !== undefined) return start;
  const made = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${serverLine}Date: ${date}\r\n`;
  flatten(made);
  commonStarts[status] = made;
  return made;
}

/** The same fields of a body that isn't encoded after all, and has another length. */
export function withoutEncoding(fields: AppFields): AppFields {
  const lines = fields.lines.replace(/(^|\n)content-encoding: [^\n]*\n/, "$1");
  return { ...fields, lines, contentEncoding: false, contentLength: null };
}

/** The number in a Content-Length an app has set; null when it isn't one (RFC 9110 §8.6). */
export function parseLength(value: string): number | null {
  if (!/^[0-9]{1,15}$/.test(value)) return null;
  return Number(value);
}

/** The head of an answer as text (RFC 9112 §4, §5), one character for each byte. */
import { reasonPhrase } from "../../errors.ts";
import type { Head } from "../../syntax/head.ts";
import { type AppFields, noFields } from "./app-fields.ts";

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

/** What a head begins with, taken from the Response. */
export interface StartOfHead {
  readonly status: number;
  readonly statusText: string;
}

/** A context that says nothing yet. */
export function newContext(): ResponseContext {
  return { head: false, versionMinor: 1, keepAlive: true, date: "", request: null };
}

const serverLine = "Server: gunicorn-ts\r\n";

/** Status line, Server and Date, by status, for the date below: the same for nearly all answers of a second. */
let commonStarts: string[] = [];
let commonDate = "";

/** The last head, and what it was made for: small answers tend to repeat (bench: hello). */
let lastHead = "";
let lastFlat = false;
let lastDate = "";
let lastStatus = 0;
let lastFields = noFields;
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
  if (statusText !== "") {
    return startHead(status, statusText, fields, type, keepAlive, context) + lengthLine(length);
  }
  if (
    length === lastLength &&
    fields === lastFields &&
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
  lastHead = startHead(status, "", fields, type, keepAlive, context) + lengthLine(length);
  lastFlat = false;
  lastDate = context.date;
  lastStatus = status;
  lastFields = fields;
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

/** The number in a Content-Length an app has set; null when it isn't one (RFC 9110 §8.6). */
export function parseLength(value: string): number | null {
  if (!/^[0-9]{1,15}$/.test(value)) return null;
  return Number(value);
}

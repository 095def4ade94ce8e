/**
 * The head of an answer whose body is pumped. The last one is kept, and what it was made for: an app's streams and files
 * tend to have the same one within a second (bench: stream).
 */
import { type AppFields, noFields } from "./app-fields.ts";
import { type ResponseContext, startHead, type StartOfHead } from "./head.ts";
import type { Trailers } from "./trailers.ts";

/** What tells the end of a body: chunks, Content-Length, or the end of the connection. */
export type StreamFraming = "chunked" | "length" | "close";

let lastHead = "";
let lastDate = "";
let lastStatus = 0;
let lastFields = noFields;
let lastType = "";
let lastFraming: StreamFraming = "close";
let lastLength = 0;
let lastKeepAlive = false;
let lastVersionMinor = 0;

/** `length`: with that framing. */
export function streamHead(
  { status, statusText }: StartOfHead,
  fields: AppFields,
  type: string,
  framing: StreamFraming,
  length: number,
  trailers: Trailers | null,
  keepAlive: boolean,
  context: ResponseContext,
): string {
  const usual = statusText === "" && trailers === null;
  if (
    usual &&
    fields === lastFields &&
    status === lastStatus &&
    framing === lastFraming &&
    length === lastLength &&
    type === lastType &&
    keepAlive === lastKeepAlive &&
    context.versionMinor === lastVersionMinor &&
    context.date === lastDate
  )
    return lastHead;
  let head = startHead(status, statusText, fields, type, keepAlive, context);
  if (framing === "length") head += `Content-Length: ${length}\r\n`;
  else if (framing === "chunked") head += "Transfer-Encoding: chunked\r\n";
  if (trailers !== null && fields.trailer !== null) head += `Trailer: ${fields.trailer}\r\n`;
  head += "\r\n";
  if (usual) {
    lastHead = head;
    lastDate = context.date;
    lastStatus = status;
    lastFields = fields;
    lastType = type;
    lastFraming = framing;
    lastLength = length;
    lastKeepAlive = keepAlive;
    lastVersionMinor = context.versionMinor;
  }
  return head;
}

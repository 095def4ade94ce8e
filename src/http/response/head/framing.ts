/** How a client learns where a body ends (RFC 9112 §6.3), and the head that says so. */
import type { AppFields } from "./app-fields.ts";
import type { OpenFile } from "../file.ts";
import {
  fixedHead,
  parseLength,
  type ResponseContext,
  startHead,
  type StartOfHead,
} from "./head.ts";
import { type StreamFraming, streamHead } from "./stream-head.ts";
import { type Trailers, trailersOf } from "./trailers.ts";

/** An answer whose bytes are all here. */
export interface FixedResponse {
  readonly type: "fixed";
  readonly status: number;
  /** Whether the connection lives on; what the head says. */
  readonly keepAlive: boolean;
  /** Latin-1, with the empty line. */
  readonly head: string;
  /** The head has no character above 0x7f. */
  readonly ascii: boolean;
  readonly body: string | Uint8Array | null;
  /** Bytes of the body that are sent. */
  readonly bodyBytes: number;
  /** Nobody else has the buffer of the body; whoever made the body may say so. */
  owned: boolean;
  /** Of blocks.ts, with the body from headRoom (file.ts) on; whoever made the body may say so. */
  block: Buffer | null;
  /** One sentence for the error log about what the app got wrong, though the answer is sent. */
  readonly warning: string | null;
}

/** An answer whose body is pumped (stream-pump.ts, file-pump.ts). */
export interface StreamResponse {
  readonly type: "stream";
  readonly status: number;
  readonly keepAlive: boolean;
  readonly head: string;
  readonly ascii: boolean;
  readonly body: ReadableStream<Uint8Array> | OpenFile;
  /** What the body was made from, if it may be asked in its place; whoever has made the body may say so. */
  generator: AsyncGenerator | null;
  readonly framing: StreamFraming;
  /** The Content-Length sent; 0 with another framing. */
  readonly length: number;
  /** What may follow the last chunk; null: nothing. */
  readonly trailers: Trailers | null;
  readonly warning: string | null;
}

/**
 * `length` is the body's; for HEAD `body` is not looked at. `type` is sent if there is a body and the app has set none.
 */
export function frameFixed(
  { status, statusText }: StartOfHead,
  fields: AppFields,
  body: string | Uint8Array | null,
  length: number,
  type: string,
  context: ResponseContext,
): FixedResponse {
  let warning: string | null = null;
  let keepAlive = context.keepAlive && !fields.close;
  let stated = length;
  if (fields.contentLength !== null) {
    const given = parseLength(fields.contentLength);
    if (context.head && length === 0 && given !== null) {
      // RFC 9110 §9.3.2: an answer to HEAD may state the length of a body that the app hasn't made.
      stated = given;
    } else if (given !== length) {
      // RFC 9110 §8.6: a length known to be wrong MUST NOT be sent. The client gets the real one, and the connection
      // ends.
      warning = `Content-Length is ${fields.contentLength}, the body has ${length} bytes`;
      keepAlive = false;
    }
  }
  const shownType = length === 0 ? "" : type;
  const sent = !context.head && length > 0;
  return {
    type: "fixed",
    status,
    keepAlive,
    head: fixedHead(status, statusText, fields, shownType, stated, keepAlive, context),
    ascii: fields.ascii,
    body: sent ? body : null,
    bodyBytes: sent ? length : 0,
    owned: false,
    block: null,
    warning,
  };
}

/** `ownLength` is the body's when it is known without reading it. `body` is dropped for HEAD. */
export function frameStream(
  start: StartOfHead,
  fields: AppFields,
  body: ReadableStream<Uint8Array> | OpenFile,
  ownLength: number | null,
  type: string,
  context: ResponseContext,
): FixedResponse | StreamResponse {
  const { status } = start;
  let warning: string | null = null;
  let length = ownLength;
  let wrongLength = false;
  if (fields.contentLength !== null) {
    const given = parseLength(fields.contentLength);
    if (ownLength !== null) {
      wrongLength = given !== ownLength;
      if (wrongLength)
        warning = `Content-Length is ${fields.contentLength}, the body has ${ownLength} bytes`;
    } else if (given === null) {
      warning = `Content-Length is ${fields.contentLength}, not a number`;
    } else {
      length = given;
    }
  }
  let framing: StreamFraming = "close";
  if (length !== null) framing = "length";
  // RFC 9112 §6.1: no Transfer-Encoding to a client that hasn't said HTTP/1.1.
  else if (context.versionMinor >= 1) framing = "chunked";

  const keepAlive = context.keepAlive && !fields.close && !wrongLength && framing !== "close";
  const trailers = framing === "chunked" && !("close" in body) ? trailersOf(body) : null;
  const head = streamHead(start, fields, type, framing, length ?? 0, trailers, keepAlive, context);
  const { ascii } = fields;
  if (context.head) {
    if ("close" in body) body.close();
    else discard(body);
    return {
      type: "fixed",
      status,
      keepAlive,
      head,
      ascii,
      body: null,
      bodyBytes: 0,
      owned: false,
      block: null,
      warning,
    };
  }
  return {
    type: "stream",
    status,
    keepAlive,
    head,
    ascii,
    body,
    generator: null,
    framing,
    length: length ?? 0,
    trailers,
    warning,
  };
}

/** Frames 204, 205 and 304. RFC 9110 §6.4.1: 204 and 304 end with the head. §15.3.6: 205 has no content. */
export function frameNothing(
  { status, statusText }: StartOfHead,
  fields: AppFields,
  hasBody: boolean,
  context: ResponseContext,
): FixedResponse {
  const keepAlive = context.keepAlive && !fields.close;
  let head = startHead(status, statusText, fields, "", keepAlive, context);
  // RFC 9110 §8.6: never on 204; on 304 it is what 200 would have said, which only the app knows.
  const length = fields.contentLength === null ? null : parseLength(fields.contentLength);
  if (status === 205) head += "Content-Length: 0\r\n";
  else if (status === 304 && length !== null) head += `Content-Length: ${length}\r\n`;
  return {
    type: "fixed",
    status,
    keepAlive,
    head: `${head}\r\n`,
    ascii: fields.ascii,
    body: null,
    bodyBytes: 0,
    owned: false,
    block: null,
    warning: hasBody ? `Body dropped: an answer with status ${status} has none` : null,
  };
}

/** Lets go of a stream that nobody will read. */
export function discard(stream: ReadableStream): void {
  // Whatever the app's cancel() throws, the answer is right without it.
  stream.cancel().catch(() => {});
}

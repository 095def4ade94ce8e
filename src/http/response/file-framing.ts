/**
 * A file as an answer: all of it, the slice that the app has made, or the range that the client asks for (RFC 9110
 * §14).
 */
import { askedRange } from "../request/range.ts";
import { allValues } from "../syntax/find-field.ts";
import { sliceStart } from "./globals/body.ts";
import { dispositionLine } from "./head/disposition.ts";
import { type OpenedFile, OpenFile, openFile } from "./file.ts";
import { discard, frameFixed, frameStream } from "./head/framing.ts";
import type { FixedResponse, StreamResponse } from "./head/framing.ts";
import { parseLength } from "./head/head.ts";
import type { AppFields } from "./head/app-fields.ts";
import type { ResponseContext, StartOfHead } from "./head/head.ts";

/** The type that Bun.serve sends with a file, or with bytes, if it knows no better one. */
export const bytesType = "application/octet-stream";

const bytesLine = `content-type: ${bytesType}\r\n`;

/** Opens the file of `blob`; throws what the system says. */
export function frameFile(
  response: Response,
  blob: Blob,
  path: string,
  type: string,
  appFields: AppFields,
  context: ResponseContext,
): FixedResponse | StreamResponse {
  const sliced = sliceStart(blob);
  const start = sliced ?? 0;
  const range = start === 0 ? rangeFor(response, appFields, context) : null;
  const maxLength = sliced === undefined ? Infinity : blob.size;
  const file = openFile(path, start, maxLength, range, context.head);
  try {
    return frameOpened(response, file, path, start, type, appFields, context);
  } catch (error) {
    // The app's own getters have thrown: nobody else knows of the descriptor.
    if (file.body instanceof OpenFile) file.body.close();
    else if (file.body instanceof ReadableStream) discard(file.body);
    throw error;
  }
}

function frameOpened(
  response: Response,
  file: OpenedFile,
  path: string,
  start: number,
  type: string,
  appFields: AppFields,
  context: ResponseContext,
): FixedResponse | StreamResponse {
  const { body, length, sizeBytes } = file;
  if (file.range === "unsatisfiable") {
    const fields = withRange(response, appFields, `*/${sizeBytes}`, sizeBytes);
    return frameFixed({ status: 416, statusText: "" }, fields, null, 0, "", context);
  }
  let startOfHead: StartOfHead = response;
  let fields = appFields;
  if (!fields.contentDisposition && isOfBytes(response, fields, type))
    fields = withDisposition(fields, path);
  if (file.range !== null) {
    startOfHead = { status: 206, statusText: "" };
    const last = file.range.start + file.range.length - 1;
    fields = withRange(response, fields, `${file.range.start}-${last}/${sizeBytes}`, sizeBytes);
  } else if (response.status === 200 && length !== null && length > 0 && length < sizeBytes) {
    // As Bun.serve: a client that asked for a range must not take a slice for the whole (RFC 9110 §15.3.7).
    startOfHead = { status: 206, statusText: response.statusText };
    if (!fields.contentRange) {
      fields = withLines(fields, `content-range: bytes ${start}-${start + length - 1}/*\r\n`);
    }
  }
  if (body instanceof Uint8Array) {
    // For HEAD nothing was read, and the length is the file's all the same.
    const sent = context.head ? (length ?? 0) : body.byteLength;
    const answer = frameFixed(startOfHead, fields, body, sent, type, context);
    answer.block = file.block;
    return answer;
  }
  return frameStream(startOfHead, fields, body, length, type, context);
}

/** An app that sets another status, or a Content-Range, has seen to ranges itself. */
function rangeFor(
  response: Response,
  fields: AppFields,
  { request }: ResponseContext,
): string | null {
  if (request === null || response.status !== 200 || fields.contentRange) return null;
  // Before the Headers, which cost more than the rest of a small answer (bench: file-16k).
  if (allValues(request, "range") === null) return null;
  return askedRange(request, response.headers, Date.now());
}

/** The Content-Length of the whole file, if that is what the app has set, isn't the one of a part. */
function withRange(
  { headers }: Response,
  fields: AppFields,
  range: string,
  sizeBytes: number,
): AppFields {
  const { contentLength } = fields;
  const isWhole = contentLength !== null && parseLength(contentLength) === sizeBytes;
  const accept = headers.has("accept-ranges") ? "" : "accept-ranges: bytes\r\n";
  return {
    ...withLines(fields, `content-range: bytes ${range}\r\n${accept}`),
    contentLength: isWhole ? null : contentLength,
  };
}

/** Whether the type that is sent says nothing about the file. */
function isOfBytes(response: Response, fields: AppFields, type: string): boolean {
  if (!fields.contentType) return type === bytesType;
  return fields.lines === bytesLine || response.headers.get("content-type") === bytesType;
}

/** The last that was made: small answers tend to repeat. */
let lastFields: AppFields | null = null;
let lastPath = "";
let lastDisposed: AppFields | null = null;

function withDisposition(fields: AppFields, path: string): AppFields {
  if (lastDisposed !== null && fields === lastFields && path === lastPath) return lastDisposed;
  lastFields = fields;
  lastPath = path;
  lastDisposed = withLines(fields, dispositionLine(path));
  return lastDisposed;
}

/** `lines` are ASCII. */
function withLines(fields: AppFields, lines: string): AppFields {
  return { ...fields, lines: fields.lines + lines };
}

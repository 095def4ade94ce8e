/**
 * From what an app returned to what is written. Invariants: a fixed body never becomes a stream; whatever can't be sent
 * is "broken" before a byte is out; the framing that the head states is kept, or the connection ends.
 */
import {
  bodyInit,
  bodyKind,
  claimBody,
  filePath,
  givenFields,
  hasNoBody,
  lentInit,
  NativeResponse,
  unknownInit,
  untypedInit,
} from "./globals/body.ts";
import { isDecoded } from "./globals/decoded.ts";
import { NativeReadableStream } from "./globals/direct-stream.ts";
import { isPlainGenerator } from "./globals/generator.ts";
import { lastWasLong, noteLength } from "./globals/json.ts";
import { headRoom } from "./file.ts";
import { bytesType, frameFile } from "./file-framing.ts";
import { discard, frameFixed, frameNothing, frameStream } from "./head/framing.ts";
import type { FixedResponse, StreamResponse } from "./head/framing.ts";
import {
  type AppFields,
  readAppFields,
  readFlatFields,
  withoutEncoding,
} from "./head/app-fields.ts";
import { fieldsOf } from "./head/known-fields.ts";
import { type LazyAnswer, nativeResponse, untouchedAnswer } from "./globals/lazy-response.ts";
import type { ResponseContext } from "./head/head.ts";
import { blockOfText } from "./long-text.ts";
import type { OutputBuffer } from "./output.ts";

/** Nothing can be sent: answer 500, and log `message`, with the stack of `error` unless that is null. */
export interface BrokenResponse {
  readonly type: "broken";
  readonly message: string;
  readonly error: unknown;
}

export type Prepared = FixedResponse | StreamResponse | BrokenResponse;

/** The largest body in memory that is copied whole; a larger one is written as the client takes it. */
const blobStreamBytes = 256 * 1024;

const nativeBytes = NativeResponse.prototype.bytes;

/** The type that Bun.serve sends with a text, if the app has set none. */
const textType = "text/plain;charset=utf-8";

/** Decides how what the app returned is sent. The Response is used up, also when the outcome is "broken". */
export function prepareResponse(value: unknown, context: ResponseContext): Prepared {
  if (!(value instanceof NativeResponse)) {
    return broken(
      `Expected a Response, got ${describe(value)}`,
      value instanceof Error ? value : null,
    );
  }
  const init = bodyInit(value);
  if (init === unknownInit) {
    // Looked at here alone: most answers are made by the wrapped constructor (bench: hello).
    const lazy = untouchedAnswer(value);
    if (lazy !== null) return prepareLazy(lazy, context);
    if (value !== nativeResponse(value)) return prepareResponse(nativeResponse(value), context);
  }
  const { status } = value;
  // RFC 9110 §15.2.2: 101 hands the connection to another protocol, which no Response can do. 0 is Response.error().
  if (status < 200) return broken(`A Response with status ${status} can't be sent`);
  // Before the body: looking at it loses the type of a Response from fetch(), and reading it the boundary of a
  // FormData.
  const given = givenFields(value);
  let fields = given === null ? readAppFields(value.headers) : fieldsOf(value, given);
  if (fields.contentEncoding && isDecoded(value, init)) fields = withoutEncoding(fields);
  const kind = init === unknownInit && value.body === null ? "none" : bodyKind(init);
  if (kind !== "none" && !claimBody(value)) {
    return broken("Response body already used: make a new Response for each request");
  }
  if (hasNoBody(status)) {
    if (kind === "stream" && value.body !== null) discard(value.body);
    return frameNothing(value, fields, kind !== "none", context);
  }
  switch (kind) {
    case "none":
      return frameFixed(value, fields, null, 0, "", context);
    case "text": {
      const text = typeof init === "string" ? init : String(init);
      const block = context.head ? null : blockOfText(text);
      const bytes = block === null ? Buffer.byteLength(text) : text.length;
      const answer = frameFixed(value, fields, text, bytes, textType, context);
      answer.block = block;
      return answer;
    }
    case "json text":
      return prepareJson(value, fields, context);
    case "bytes":
      return prepareBytes(value, fields, init === untypedInit ? "" : bytesType, context);
    case "blob":
      // bodyKind says that it is one.
      return prepareBlob(value, init as Blob, bytesType, fields, context);
    case "stream": {
      const answer = prepareLent(value, lentInit(init), fields, context);
      if (answer.type === "stream" && isPlainGenerator(init) && hasOwnBody(value))
        answer.generator = init;
      return answer;
    }
    default:
      return kind satisfies never;
  }
}

/** No type is added: what a node listener hasn't said it hasn't meant. */
function prepareLazy(answer: LazyAnswer, context: ResponseContext): Prepared {
  const { status, body } = answer;
  const fields = readFlatFields(answer.fields);
  if (status < 200) return prepareInterim(answer, fields, context);
  if (body instanceof NativeReadableStream) {
    if (hasNoBody(status)) {
      discard(body);
      return frameNothing(answer, fields, true, context);
    }
    return frameStream(answer, fields, body, null, "", context);
  }
  const length =
    body === null ? 0 : typeof body === "string" ? Buffer.byteLength(body) : body.length;
  if (hasNoBody(status)) return frameNothing(answer, fields, length > 0, context);
  // The length of what HEAD has no body of isn't known, unless the app says it.
  if (context.head && length === 0 && fields.contentLength === null)
    return frameNothing(answer, fields, false, context);
  return frameFixed(answer, fields, body, length, "", context);
}

/**
 * RFC 9110 §15.2: an interim answer, which another one should follow. node:http takes it for the last one, and its client
 * would wait, or take the next request's answer for this one's: the connection ends.
 */
function prepareInterim(answer: LazyAnswer, fields: AppFields, context: ResponseContext): Prepared {
  const { status, body } = answer;
  const text = `An answer with status ${status} isn't a last one`;
  if (context.versionMinor === 0) return broken(`${text}, and HTTP/1.0 doesn't know it`);
  if (body instanceof NativeReadableStream) discard(body);
  const warning = `${text}: the connection ends behind it`;
  return { ...frameNothing(answer, { ...fields, close: true }, false, context), warning };
}

/** Adds head and body. Strings are joined, so that a batch of answers is encoded at once. */
export function encodeFixed(response: FixedResponse, output: OutputBuffer): void {
  if (response.block !== null) return encodeBlock(response, response.block, output);
  output.addHead(response);
  const { body } = response;
  if (body === null) return;
  if (typeof body !== "string") {
    if (response.owned) output.addOwnedBytes(body);
    else output.addBytes(body);
  } else if (body.length === response.bodyBytes) output.addAscii(body);
  else output.addUtf8(body, response.bodyBytes);
}

/** The head goes in front of the body. */
function encodeBlock(response: FixedResponse, block: Buffer, output: OutputBuffer): void {
  const { head, bodyBytes } = response;
  let start = headRoom;
  if (head.length > headRoom) output.addHead(response);
  else {
    start -= head.length;
    block.write(head, start, "latin1");
  }
  output.addBlock(block, start, headRoom + bodyBytes);
}

function prepareJson(response: Response, fields: AppFields, context: ResponseContext): Prepared {
  if (lastWasLong()) {
    const answer = prepareBytes(response, fields, textType, context);
    noteLength(answer.type === "fixed" ? answer.bodyBytes : 0);
    return answer;
  }
  const text = Bun.peek(response.text());
  if (typeof text !== "string") return broken("Response.json() has no text");
  const bytes = Buffer.byteLength(text);
  noteLength(bytes);
  return frameFixed(response, fields, text, bytes, textType, context);
}

/** `size`: how many they are, if that is known before. */
function prepareBytes(
  response: Response,
  fields: AppFields,
  type: string,
  context: ResponseContext,
  size = 0,
): Prepared {
  const native = response.bytes === nativeBytes;
  const bytes = Bun.peek(response.bytes());
  if (bytes instanceof Uint8Array) {
    const answer = frameFixed(response, fields, bytes, bytes.byteLength, type, context);
    // The native method always gives a copy; a subclass's may give what the app still needs.
    answer.owned = native;
    return answer;
  }
  // Bun has yet to gather them: those of a Blob that is made of files.
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(await bytes);
      controller.close();
    },
  });
  // A file that isn't there is 0 bytes long as well.
  return frameStream(response, fields, stream, size === 0 ? null : size, type, context);
}

/**
 * A stream, and what the Response that it was taken from was made of: Bun gives the bytes back in one piece, at once.
 */
function prepareLent(
  response: Response,
  lent: unknown,
  fields: AppFields,
  context: ResponseContext,
): Prepared {
  const { body } = response;
  if (lent === unknownInit || body === null || body.locked) {
    return prepareStream(response, fields, null, "", context);
  }
  if (!(lent instanceof Blob)) return prepareBytes(response, fields, bytesType, context);
  // Of a file only the name is needed, which counts as taking the stream all the same.
  if (filePath(lent) !== null) discard(body);
  return prepareBlob(response, lent, lent.type || bytesType, fields, context);
}

function prepareStream(
  response: Response,
  fields: AppFields,
  length: number | null,
  type: string,
  context: ResponseContext,
): Prepared {
  const { body } = response;
  if (body === null) return frameFixed(response, fields, null, 0, "", context);
  if (body.locked) return broken("Response body is locked: something else is reading it");
  return frameStream(response, fields, body, length, type, context);
}

function prepareBlob(
  response: Response,
  blob: Blob,
  type: string,
  fields: AppFields,
  context: ResponseContext,
): Prepared {
  const path = filePath(blob);
  if (path !== null) {
    try {
      return frameFile(response, blob, path, type, fields, context);
    } catch (error) {
      return broken(`Can't send file ${path}`, error);
    }
  }
  const { size } = blob;
  // S3 objects and file descriptors don't know theirs.
  if (!Number.isFinite(size) || "presign" in blob) {
    return prepareStream(response, fields, null, "", context);
  }
  if (size > blobStreamBytes) return prepareStream(response, fields, size, type, context);
  return prepareBytes(response, fields, type, context, size);
}

/** False: a subclass, or the app itself, may have put another body in the place of the one that it was made with. */
function hasOwnBody(response: Response): boolean {
  return (
    Object.getPrototypeOf(response) === NativeResponse.prototype && !Object.hasOwn(response, "body")
  );
}

function broken(message: string, error: unknown = null): BrokenResponse {
  return { type: "broken", message, error };
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  const name = classNameOf(value);
  return name === "" ? "an object" : `an object of class ${name}`;
}

function classNameOf(value: object): string {
  try {
    const name: unknown = value.constructor?.name;
    return typeof name === "string" ? name : "";
  } catch {
    // A getter or trap of the app's.
    return "";
  }
}

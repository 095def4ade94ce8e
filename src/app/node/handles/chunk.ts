/** What a listener may write, and how much of it: node:http leaves both to the native half. */
import { isAscii } from "node:buffer";

export type Chunk = string | ArrayBuffer | ArrayBufferView | null | undefined;

const noBytes = new Uint8Array(0);

/** Up to so many bytes become a text, which joins its head: more than a copy costs that (bench: express). */
const shortBytes = 1024;

/** What a listener has written, as nobody else can change it: a text in UTF-8, or bytes. Throws as copyOf does. */
export function bodyOf(
  chunk: unknown,
  encoding: BufferEncoding | null | undefined,
): string | Uint8Array {
  if (typeof chunk === "string") return isUtf8(encoding) ? chunk : copyOf(chunk, encoding);
  if (chunk instanceof Buffer && chunk.length <= shortBytes && isAscii(chunk))
    return chunk.latin1Slice(0, chunk.length);
  return copyOf(chunk, encoding);
}

/** Fastify says null. */
function isUtf8(encoding: string | null | undefined): boolean {
  return encoding === undefined || encoding === null || encoding === "utf8" || encoding === "utf-8";
}

/** A copy: the listener may use its buffer again once write() has returned. Throws ERR_INVALID_ARG_TYPE for anything else. */
export function copyOf(chunk: unknown, encoding: BufferEncoding | null | undefined): Uint8Array {
  if (chunk === null || chunk === undefined) return noBytes;
  if (typeof chunk === "string") return Buffer.from(chunk, encoding ?? undefined);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk.slice(0));
  if (!ArrayBuffer.isView(chunk)) throw wrongType(chunk);
  const { buffer, byteOffset, byteLength } = chunk;
  return new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

function wrongType(chunk: unknown): TypeError {
  const shown = typeof chunk === "object" ? "an object" : `type ${typeof chunk}`;
  const message = `The "chunk" argument must be of type string, Buffer, TypedArray or DataView. Received ${shown}`;
  return Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_TYPE" });
}

/**
 * @param stated the Content-Length, if the listener has set strictContentLength
 * Throws ERR_HTTP_CONTENT_LENGTH_MISMATCH.
 */
export function checkLength(bytes: number, stated: number | undefined, isLast: boolean): void {
  if (stated === undefined || bytes === stated || (!isLast && bytes < stated)) return;
  const message = `Response body's content-length of ${bytes} byte(s) does not match the content-length of ${stated} byte(s) set in header`;
  throw Object.assign(new Error(message), { code: "ERR_HTTP_CONTENT_LENGTH_MISMATCH" });
}

/** What a node listener has answered, as a Response. */
import { markBody, NativeResponse, untypedInit } from "../../http/response/body.ts";

/** Fields that are about the connection (RFC 9110 §7.6.1), which is the worker's. */
const ofConnection = new Set(["keep-alive", "transfer-encoding", "proxy-connection", "upgrade"]);
/** A Response must not have a body with these. */
const bodiless = new Set([204, 205, 304]);

/** The head of an answer as ServerResponse gives it. */
export interface AnswerHead {
  readonly status: number;
  readonly reason: string | undefined;
  /** Names and values in turn. A name of one NUL is a word of Bun's own about the framing. */
  readonly fields: readonly string[];
}

/** @param method of the request: an answer to HEAD has no body, and may state a length */
export function toResponse(
  method: string,
  { status, reason, fields }: AnswerHead,
  body: string | Uint8Array | ReadableStream<Uint8Array> | null,
): Response {
  const headers = new Headers();
  let isTyped = false;
  let isStated = false;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!;
    const value = fields[at + 1]!;
    if (name === "\0") continue;
    const lower = name.toLowerCase();
    if (ofConnection.has(lower)) continue;
    if (lower === "connection" && value.toLowerCase() !== "close") continue;
    if (lower === "content-type") isTyped = true;
    if (lower === "content-length") isStated = true;
    headers.append(name, value);
  }
  const init: ResponseInit = {
    status,
    headers,
    ...(reason === undefined ? {} : { statusText: reason }),
  };
  if (bodiless.has(status)) return marked(null, init);
  if (body instanceof ReadableStream) return marked(body, init);
  if (body !== null && body.length > 0) {
    return isTyped ? marked(body, init) : marked(Buffer.from(body as string), init, untypedInit);
  }
  // A null body would state the length 0, which the answer to HEAD hasn't said.
  return marked(method === "HEAD" && !isStated ? new ReadableStream() : null, init);
}

/** The native class: apps replace the global one, as @hono/node-server does. */
function marked(
  body: string | Uint8Array | ReadableStream<Uint8Array> | null,
  init: ResponseInit,
  mark: unknown = body,
): Response {
  const response = new NativeResponse(body as Bun.BodyInit | null, init);
  markBody(response, mark);
  return response;
}

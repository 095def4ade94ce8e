/**
 * Answers of other servers that fetch() has decoded. Their fields still name the Content-Encoding and the
 * Content-Length of the bytes that were received, and nothing in them says that the body was decoded. So in a worker
 * fetch() remembers it.
 *
 * An app that returns such a Response, or another one with its body and fields, would send plain bytes that no client
 * could decode.
 */

/** Codings that fetch() decodes. */
const decodable = /^(?:gzip|x-gzip|deflate|br|zstd)$/i;

/** The Content-Encoding of the other server, by Response and by the stream of its body. */
const decoded = new WeakMap<object, string>();

/** Remembers the answer of a fetch() that decodes, and gives it back. */
export function markDecoded(response: Response): Response {
  const coding = response.headers.get("content-encoding");
  if (coding !== null && decodable.test(coding)) remember(response, coding);
  return response;
}

/** To be called after a clone: both have a new stream. */
export function copyDecoded(from: Response, to: Response): void {
  const coding = decoded.get(from);
  if (coding === undefined) return;
  remember(from, coding);
  remember(to, coding);
}

/**
 * Whether the Content-Encoding of an answer is no longer true of its bytes. A value that the app has put in its place
 * is the app's word. `init` is what bodyInit() says.
 */
export function isDecoded(response: Response, init: unknown): boolean {
  let coding = decoded.get(response);
  if (coding === undefined && typeof init === "object" && init !== null) coding = decoded.get(init);
  return coding !== undefined && coding === response.headers.get("content-encoding");
}

function remember(response: Response, coding: string): void {
  // An answer to HEAD has nothing to decode: its fields are all that is known.
  if (response.body === null) return;
  decoded.set(response, coding);
  decoded.set(response.body, coding);
}

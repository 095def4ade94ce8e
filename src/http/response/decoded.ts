// Answers of other servers that fetch() has decoded. Their fields still name the Content-Encoding and the Content-Length of what
// was on the wire, and none of their own says that it was decoded, so in a worker fetch() remembers it. An app that returns
// such a Response, or another one with its body and fields, would send plain bytes that no client could decode.

/** What fetch() decodes. */
const decodable = /^(?:gzip|x-gzip|deflate|br|zstd)$/i;

/** By Response, and by the stream of its body: what the other server said. */
const decoded = new WeakMap<object, string>();

/** Takes what a fetch() that decodes has given, and gives it back. */
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
 * Whether the Content-Encoding of an answer, which has one, isn't true of its bytes any more. `init` as bodyInit() gives it. One
 * that the app has put in its place is the app's word.
 */
export function isDecoded(response: Response, init: unknown): boolean {
  let coding = decoded.get(response);
  if (coding === undefined && typeof init === "object" && init !== null) coding = decoded.get(init);
  return coding !== undefined && coding === response.headers.get("content-encoding");
}

function remember(response: Response, coding: string): void {
  // Of an answer to HEAD nothing was decoded, and what its fields say is all that is known.
  if (response.body === null) return;
  decoded.set(response, coding);
  decoded.set(response.body, coding);
}

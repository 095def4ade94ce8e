/**
 * Whether a connection outlives a request: the client's word in Connection (RFC 9110 §7.6.1), its version (RFC 9112
 * §9.3), and the server's own wish.
 */
import { equalsWord, readList, word } from "../bytes.ts";

/** Connection options that matter to a server, as bits; the parser gathers them over all Connection fields. */
export const connectionClose = 1;
export const connectionKeepAlive = 2;
export const connectionUpgrade = 4;

/**
 * Whether the connection outlives this request, as far as the client has a say. `serverCloses` is the other half:
 * draining, max_requests, keepalive 0, a body left unread.
 */
export function isPersistent(
  versionMinor: number,
  connection: number,
  serverCloses: boolean,
): boolean {
  if (serverCloses) return false;
  // RFC 9112 §9.3: "close" wins over everything else, on any version.
  if ((connection & connectionClose) !== 0) return false;
  // RFC 9112 §9.3: HTTP/1.1 persists by default.
  if (versionMinor >= 1) return true;
  // RFC 9112 §9.3: HTTP/1.0 persists only when it asks to, and we aren't a proxy.
  return (connection & connectionKeepAlive) !== 0;
}

const options = ["close", "keep-alive", "upgrade"].map(word);
const keepAlive = word("keep-alive");

/**
 * The options of one Connection field as bits. RFC 9110 §7.6.1: a list of case-insensitive tokens; unknown ones are
 * ignored.
 */
export function readConnection(bytes: Uint8Array, start: number, end: number): number {
  // What nearly every client sends, without a list (bench: parser).
  if (equalsWord(bytes, start, end, keepAlive)) return connectionKeepAlive;
  let flags = 0;
  for (const option of readList(bytes, start, end, options)) if (option >= 0) flags |= 1 << option;
  return flags;
}

/** What lines of logs derive from a request's raw texts. */
import type { RequestFacts, RequestRecord } from "../../api/request-record.ts";

/** The target without its query, as it was sent; empty if the request line couldn't be read. */
export function rawPath({ method, target }: RequestFacts): string {
  if (method === "") return "";
  const path = withoutQuery(target);
  if (path.startsWith("/")) return path;
  // RFC 9112 §3.2.2: in absolute form the path comes behind the authority, and an empty one is "/".
  const scheme = path.indexOf("://");
  if (scheme === -1) return path;
  const slash = path.indexOf("/", scheme + 3);
  return slash === -1 ? "/" : path.slice(slash);
}

function withoutQuery(target: string): string {
  const at = target.indexOf("?");
  return at === -1 ? target : target.slice(0, at);
}

/** What stands behind `?`; empty if there is nothing, or the request line couldn't be read. */
export function rawQuery({ method, target }: RequestRecord): string {
  const at = method === "" ? -1 : target.indexOf("?");
  return at === -1 ? "" : target.slice(at + 1);
}

const encodedByte = /%([0-9a-fA-F]{2})/g;

/** A path, percent-decoded; still Latin-1, one character for each byte. */
export function decodePath(path: string): string {
  if (!path.includes("%")) return path;
  return path.replace(encodedByte, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

const basicCredentials = /^basic +((?:[a-z0-9+/]{4})*(?:[a-z0-9+/]{2}==|[a-z0-9+/]{3}=)?) *$/i;

/** The user of Basic authentication (RFC 7617), as the bytes that were encoded; null without one. */
export function basicUser(request: RequestRecord): string | null {
  const credentials = request.requestHeader("authorization");
  if (credentials === null) return null;
  const encoded = basicCredentials.exec(credentials)?.[1];
  if (encoded === undefined) return null;
  const decoded = Buffer.from(encoded, "base64").toString("latin1");
  const colon = decoded.indexOf(":");
  return colon <= 0 ? null : decoded.slice(0, colon);
}

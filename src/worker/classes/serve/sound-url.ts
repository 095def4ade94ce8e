/**
 * The url of a request that Bun.serve has read. Of a Host that makes no URL it is the path alone, or a text that `new URL`
 * refuses; of CONNECT it is the target as it was sent.
 */
import { isAuthority, isHostAndPort } from "../../../http/syntax/authority.ts";

let lastOrigin = "";

/**
 * The url that an app can parse, as the engine would make it; null for a Host, or a target of CONNECT, that RFC 9112 §3.2 wants
 * refused with 400. Where Host is missing (HTTP/1.0), empty or no name of a URL, the server's own stands in.
 */
export function soundUrl(
  url: string,
  headers: Headers,
  server: { readonly url: URL },
  secure: boolean,
): string | null {
  const at = pathAt(url);
  const origin = url.slice(0, at);
  if (origin === lastOrigin && origin !== "") return url;
  if (/^https?:\/\//.test(origin)) {
    if (URL.canParse(origin)) {
      lastOrigin = origin;
      return url;
    }
  } else if (!url.startsWith("/")) {
    return is(isHostAndPort, url) ? parsed(`${schemeOf(secure)}${url}/`) : null;
  }
  const host = headers.get("host") ?? "";
  if (host !== "" && !is(isAuthority, host)) return null;
  // A unix socket has no host.
  const own = server.url.host || "localhost";
  return parsed(schemeOf(secure) + own + url.slice(at));
}

/** Where the path begins; the url's length when it has none. */
export function pathAt(url: string): number {
  if (url.startsWith("/")) return 0;
  const at = url.indexOf("/", url.indexOf("//") + 2);
  return at === -1 ? url.length : at;
}

function schemeOf(secure: boolean): string {
  return secure ? "https://" : "http://";
}

function parsed(text: string): string | null {
  return URL.parse(text)?.href ?? null;
}

function is(rule: typeof isAuthority, text: string): boolean {
  const bytes = Buffer.from(text, "latin1");
  return rule(bytes, 0, bytes.length);
}

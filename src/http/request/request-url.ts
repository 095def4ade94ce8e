/** The url of a request, as `new Request(url).url` would spell it. RFC 9112 §3.3 says what it is made of. */

export interface RequestTarget {
  readonly target: string;
  /** The target below the path that the app is mounted at; null when it is mounted at the root. */
  readonly appTarget: string | null;
  readonly targetForm: "origin" | "absolute" | "authority" | "asterisk";
  /** The target's own authority, else Host's value, else "". */
  readonly authority: string;
  readonly text: string;
  readonly authorityEnd: number;
  readonly targetEnd: number;
}

/** Characters that URL keeps as they are in path and query. `'` is not among them: it is encoded in a query only. */
const plainTarget = /^\/[A-Za-z0-9\-_~!$&()*+,;=:@%/?.]*$/;

/**
 * A name with a last label that can't be a number: URL would rewrite `127.1`. No upper case, which URL folds, and no
 * Punycode, which it checks.
 */
const plainHost =
  /^(?!.*xn--)(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*(?::[0-9]+)?$|^127\.0\.0\.1(?::[0-9]+)?$/;

let lastScheme = "";
let lastAuthority = "";
let lastOrigin = "";

/** The last URL, and what it is made of: a head that comes again is the same object (bench: hono). */
let lastRequest: RequestTarget | null = null;
let lastRequestScheme = "";
let lastFallbackHost = "";
let lastUrl = "";

/**
 * The client chooses host and path, never the scheme: that is the connection's, also for a target in absolute form
 * (RFC 9110 §7.4). `fallbackHost` stands in for a missing or empty Host (RFC 9112 §3.3).
 */
export function requestUrl(request: RequestTarget, scheme: string, fallbackHost: string): string {
  const isLast =
    request === lastRequest && scheme === lastRequestScheme && fallbackHost === lastFallbackHost;
  if (isLast) return lastUrl;
  // Before it is remembered: this throws for what is no URL.
  const url = makeUrl(request, scheme, fallbackHost);
  lastRequest = request;
  lastRequestScheme = scheme;
  lastFallbackHost = fallbackHost;
  lastUrl = url;
  return url;
}

function makeUrl(request: RequestTarget, scheme: string, fallbackHost: string): string {
  const authority = request.authority;
  if (authority !== lastAuthority || scheme !== lastScheme || authority === "") {
    lastOrigin = originOf(scheme, authority === "" ? fallbackHost : authority, fallbackHost);
    lastAuthority = authority;
    lastScheme = scheme;
  }
  const path = pathOf(request);
  if (plainTarget.test(path) && !hasDotSegment(path)) return lastOrigin + path;
  // Bytes above 0x7f are UTF-8 if they are anything: Bun.serve reads them so.
  return new URL(lastOrigin + Buffer.from(path, "latin1").toString()).href;
}

/** The target in origin form as it was sent, below the mount; "/" where it has no path. */
export function pathOf(request: RequestTarget): string {
  switch (request.targetForm) {
    case "origin":
      return request.appTarget ?? request.target;
    case "absolute": {
      // RFC 9110 §4.2.3: an empty path is "/".
      const path = request.text.slice(request.authorityEnd, request.targetEnd);
      return path.startsWith("/") ? path : `/${path}`;
    }
    case "authority":
    case "asterisk":
      // RFC 9112 §3.3: no path and no query.
      return "/";
    default:
      return request.targetForm satisfies never;
  }
}

/** Whether URL might take a segment for "." or "..", which may be written with %2e. */
function hasDotSegment(path: string): boolean {
  return path.includes("/.") || path.includes("/%2");
}

function originOf(scheme: string, host: string, fallbackHost: string): string {
  const origin = `${scheme}://${host}`;
  if (plainHost.test(host) && !host.endsWith(scheme === "https" ? ":443" : ":80")) {
    const colon = host.indexOf(":");
    if (colon === -1 || isPlainPort(host, colon + 1)) return origin;
  }
  const url = URL.parse(origin);
  // A Host that the grammar allows and URL doesn't, such as "a..b%00": the path is still right.
  if (url === null)
    return host === fallbackHost
      ? `${scheme}://localhost`
      : originOf(scheme, fallbackHost, fallbackHost);
  return `${url.protocol}//${url.host}`;
}

/** URL drops leading zeros and refuses ports over 65535. */
function isPlainPort(host: string, start: number): boolean {
  return host.length - start <= 4 && host.charCodeAt(start) !== 0x30;
}

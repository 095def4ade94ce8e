/**
 * What a trusted proxy says about the client's request: its scheme, and the path that the app is mounted at. The caller
 * knows whether the peer is in forwarded_allow_ips, and asks nothing here about the head of any other peer.
 */
import { initialOf, isNamed, lastValue } from "../syntax/find-field.ts";
import type { Head } from "../syntax/head.ts";

export type Scheme = "http" | "https";

/** secure_scheme_headers, made ready for one look at each request. */
export interface SchemeHeaders {
  /** The lengths of the names, one bit each, modulo 32: most fields cost one test. */
  readonly lengths: number;
  /** The first letters of the names, as in Head.initials. */
  readonly initials: number;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

export function compileSchemeHeaders(settings: Readonly<Record<string, string>>): SchemeHeaders {
  const headers = Object.entries(settings).map(([name, value]) => ({
    name: name.toLowerCase(),
    value,
  }));
  const lengths = headers.reduce((bits, { name }) => bits | (1 << name.length), 0);
  const initials = headers.reduce((bits, { name }) => bits | initialOf(name), 0);
  return { lengths, initials, headers };
}

/**
 * The scheme of a trusted peer's request: `own`, the connection's, unless a scheme header is there. Only its exact
 * value means https, any other one http; two that disagree are refused, whether they have the same name, stand in one
 * list, or not.
 */
export function readScheme(
  head: Head,
  { lengths, initials, headers }: SchemeHeaders,
  own: Scheme,
): Scheme | "contradictory scheme headers" {
  if ((head.initials & initials) === 0) return own;
  const { fields, fieldCount } = head;
  let said: Scheme | null = null;
  for (let index = 0; index < fieldCount; index++) {
    const length = fields[4 * index + 1]! - fields[4 * index]!;
    if ((lengths & (1 << length)) === 0) continue;
    for (const { name, value } of headers) {
      if (!isNamed(head, index, name)) continue;
      const scheme = schemeOf(head, index, value);
      if (scheme === null || (said !== null && said !== scheme))
        return "contradictory scheme headers";
      said = scheme;
    }
  }
  return said ?? own;
}

/**
 * The path that the app is mounted at, as the SCRIPT_NAME header says it; of several the last one, as in Gunicorn. Only
 * forwarder_headers grants it: `header_map = "dangerous"` keeps the header too, from anybody.
 */
export function readScriptName(head: Head): string | null {
  return lastValue(head, "script_name");
}

/**
 * What is left of a target in origin form, or of its path, below the mount: it starts with a slash. Null: the target is
 * outside. The prefix ends where a segment does, so `/api` doesn't hold `/apis`, as it would in Gunicorn.
 */
export function splitScriptName(target: string, prefix: string): string | null {
  const mount = prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
  if (!target.startsWith(mount)) return null;
  const rest = target.slice(mount.length);
  if (rest.startsWith("/")) return rest;
  return rest === "" || rest.startsWith("?") ? `/${rest}` : null;
}

/** What one field says; null: its elements disagree. */
function schemeOf(head: Head, index: number, secure: string): Scheme | null {
  const given = head.fieldValue(index);
  if (given === secure) return "https";
  if (!given.includes(",")) return "http";
  // Each proxy adds what it has seen, in a line of its own or in a list, which is the same (RFC 9110 §5.3).
  const elements = given.split(",").map((element) => element.replaceAll(/^[ \t]+|[ \t]+$/g, ""));
  // RFC 9110 §5.6.1.2: empty elements don't count.
  const said = new Set(
    elements.filter((element) => element !== "").map((element) => element === secure),
  );
  if (said.size > 1) return null;
  return said.has(true) ? "https" : "http";
}

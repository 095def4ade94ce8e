/** Gunicorn's atoms of access_log_format: what each makes of a request. What is missing is `-`. */
import type { RequestRecord } from "../../api/request-record.ts";
import { escapeText, escapeWord } from "../lines/escape.ts";
import { localTime } from "../lines/local-time.ts";
import { basicUser, decodePath, rawPath, rawQuery } from "./request-facts.ts";

export interface Atom {
  /** All that it says stands in the request's head. */
  readonly ofHead?: true;
  /** The text for a plain line, escaped. */
  text(request: RequestRecord): string;
  /**
   * The value for a line that is JSON: a number (which then is what `text` shows), a text as it came, or null for what
   * is missing.
   */
  value(request: RequestRecord): string | number | null;
  /** The whole number that `%d` shows, where there is one. */
  number?(request: RequestRecord): number;
}

const missing = "-";

function numeric(number: (request: RequestRecord) => number): Atom {
  return { number, value: number, text: (request) => String(number(request)) };
}

/** A text of a client or an app; null where it is missing. */
function quoted(value: (request: RequestRecord) => string | null): Atom {
  return { value, text: (request) => shown(value(request)) };
}

function ofHead(atom: Atom): Atom {
  return { ...atom, ofHead: true };
}

/** A text of the server's own, which needs no escape; empty where it is missing. */
function own(value: (request: RequestRecord) => string): Atom {
  return {
    value: (request) => value(request) || null,
    text: (request) => value(request) || missing,
  };
}

const pid = `<${process.pid}>`;

/** The atoms of one letter. */
export const atoms = {
  h: own(({ clientAddress }) => clientAddress),
  l: { value: () => null, text: () => missing },
  u: {
    ofHead: true,
    value: basicUser,
    text(request) {
      const user = basicUser(request);
      return user === null ? missing : escapeWord(user);
    },
  },
  t: own(() => commonLogTime(Date.now())),
  r: {
    ofHead: true,
    value: (request) => requestLine(request) || null,
    text: escapedRequestLine,
  },
  m: ofHead(quoted(({ method }) => method || null)),
  U: ofHead(quoted((request) => decodePath(rawPath(request)) || null)),
  q: ofHead(quoted(rawQuery)),
  H: ofHead(own(({ protocol }) => protocol)),
  s: numeric(({ status }) => status),
  B: numeric(({ bodyBytes }) => bodyBytes),
  b: {
    number: ({ bodyBytes }) => bodyBytes,
    value: ({ bodyBytes }) => (bodyBytes === -1 ? null : bodyBytes),
    text: ({ bodyBytes }) => (bodyBytes === -1 ? missing : String(bodyBytes)),
  },
  f: ofHead(quoted((request) => request.requestHeader("referer"))),
  a: ofHead(quoted((request) => request.requestHeader("user-agent"))),
  T: numeric(({ durationUs }) => Math.trunc(durationUs / 1e6)),
  D: numeric(({ durationUs }) => durationUs),
  M: numeric(({ durationUs }) => Math.trunc(durationUs / 1000)),
  L: {
    value: ({ durationUs }) => durationUs / 1e6,
    text: ({ durationUs }) => (durationUs / 1e6).toFixed(6),
  },
  p: own(() => pid),
} as const satisfies Readonly<Record<string, Atom>>;

/** The letters behind `{name}`: request header, response header, environment of the request, TLS and trace. */
export type Source = "i" | "o" | "e" | "x";

/** What `{name}x` knows: of a connection's TLS, by the names of Apache's mod_ssl, and of a request's trace. */
export const extraAtoms = {
  SSL_PROTOCOL: own(({ tls }) => tls?.version ?? ""),
  SSL_CIPHER: own(({ tls }) => tls?.cipher ?? ""),
  SSL_CLIENT_S_DN: quoted(({ tls }) => tls?.clientSubject ?? null),
  TRACE_ID: own(({ trace }) => trace?.traceId ?? ""),
  SPAN_ID: own(({ trace }) => trace?.spanId ?? ""),
} as const satisfies Readonly<Record<string, Atom>>;

/** The atom `{name}i`, `{name}o`, `{name}e` or `{name}x`; the name may be in any case. Null for an unknown one. */
export function namedAtom(name: string, source: Source): Atom | null {
  switch (source) {
    case "i": {
      const header = name.toLowerCase();
      return ofHead(quoted((request) => request.requestHeader(header)));
    }
    case "o": {
      const header = name.toLowerCase();
      return quoted((request) => request.responseHeader(header));
    }
    case "e": {
      const upper = name.toUpperCase();
      const variable = upper === "WSGI.URL_SCHEME" ? "wsgi.url_scheme" : upper;
      return quoted((request) => request.environ(variable));
    }
    case "x": {
      const upper = name.toUpperCase();
      return Object.hasOwn(extraAtoms, upper) ? extraAtoms[upper as keyof typeof extraAtoms] : null;
    }
    default:
      return source satisfies never;
  }
}

function shown(text: string | null): string {
  return text === null ? missing : escapeText(text);
}

/** The request line as it was sent; of one that couldn't be read, what there is. */
function requestLine({ method, target, protocol }: RequestRecord): string {
  return method === "" ? target : `${method} ${target} ${protocol}`;
}

/** The last request line: what is asked for tends to be asked for again. */
let [lastMethod, lastTarget, lastProtocol, lastLine] = ["", "", "", ""];

/** The request line, escaped part by part: a text that is joined first has to be copied for it (bench: access-log). */
function escapedRequestLine({ method, target, protocol }: RequestRecord): string {
  if (method === "") return escapeText(target) || missing;
  if (target === lastTarget && method === lastMethod && protocol === lastProtocol) return lastLine;
  lastMethod = method;
  lastTarget = target;
  lastProtocol = protocol;
  lastLine = `${escapeText(method)} ${escapeText(target)} ${protocol}`;
  return lastLine;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

let lastSecond = -1;
let lastTime = "";

/** Local time as Apache's common log format has it, `[20/Nov/2026:11:24:13 +0000]`. */
function commonLogTime(nowMs: number): string {
  // Made once a second, not for each line (bench: access-log).
  const second = Math.trunc(nowMs / 1000);
  if (second === lastSecond) return lastTime;
  const local = localTime(new Date(nowMs));
  const month = months[Number(local.slice(5, 7)) - 1];
  const day = `${local.slice(8, 10)}/${month}/${local.slice(0, 4)}`;
  lastSecond = second;
  lastTime = `[${day}:${local.slice(11, 19)} ${local.slice(19)}]`;
  return lastTime;
}

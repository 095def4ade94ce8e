/** Gunicorn's atoms of access_log_format: what each makes of a request. What is missing is `-`. */
import { escapeText, escapeWord } from "./escape.ts";
import { basicUser, decodePath, rawPath, rawQuery } from "./request-facts.ts";
import type { RequestRecord } from "./request-record.ts";

export interface Atom {
  text(request: RequestRecord): string;
  /** Where there is a number, which `%d` may show; a whole one. */
  number?(request: RequestRecord): number;
}

const missing = "-";

function numeric(number: (request: RequestRecord) => number): Atom {
  return { number, text: (request) => String(number(request)) };
}

const pid = `<${process.pid}>`;

/** The atoms of one letter. */
export const atoms = {
  h: { text: ({ clientAddress }) => clientAddress || missing },
  l: { text: () => missing },
  u: {
    text(request) {
      const user = basicUser(request);
      return user === null ? missing : escapeWord(user);
    },
  },
  t: { text: () => commonLogTime(Date.now()) },
  r: { text: requestLine },
  m: { text: ({ method }) => escapeText(method) || missing },
  U: { text: (request) => escapeText(decodePath(rawPath(request))) || missing },
  q: { text: (request) => escapeText(rawQuery(request)) },
  H: { text: ({ protocol }) => protocol || missing },
  s: numeric(({ status }) => status),
  B: numeric(({ bodyBytes }) => bodyBytes),
  b: {
    number: ({ bodyBytes }) => bodyBytes,
    text: ({ bodyBytes }) => (bodyBytes === -1 ? missing : String(bodyBytes)),
  },
  f: { text: (request) => shown(request.requestHeader("referer")) },
  a: { text: (request) => shown(request.requestHeader("user-agent")) },
  T: numeric(({ durationUs }) => Math.trunc(durationUs / 1e6)),
  D: numeric(({ durationUs }) => durationUs),
  M: numeric(({ durationUs }) => Math.trunc(durationUs / 1000)),
  L: { text: ({ durationUs }) => (durationUs / 1e6).toFixed(6) },
  p: { text: () => pid },
} as const satisfies Readonly<Record<string, Atom>>;

/** The letters behind `{name}`: request header, response header, environment of the request. */
export type Source = "i" | "o" | "e";

/** The atom `{name}i`, `{name}o` or `{name}e`; the name may be in any case. */
export function namedAtom(name: string, source: Source): Atom {
  switch (source) {
    case "i": {
      const header = name.toLowerCase();
      return { text: (request) => shown(request.requestHeader(header)) };
    }
    case "o": {
      const header = name.toLowerCase();
      return { text: (request) => shown(request.responseHeader(header)) };
    }
    case "e": {
      const upper = name.toUpperCase();
      const variable = upper === "WSGI.URL_SCHEME" ? "wsgi.url_scheme" : upper;
      return { text: (request) => shown(request.environ(variable)) };
    }
    default:
      return source satisfies never;
  }
}

function shown(text: string | null): string {
  return text === null ? missing : escapeText(text);
}

/** As it was sent; of a line that couldn't be read, what there is. */
function requestLine({ method, target, protocol }: RequestRecord): string {
  if (method !== "") return `${escapeText(method)} ${escapeText(target)} ${protocol}`;
  return escapeText(target) || missing;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

let lastSecond = -1;
let lastTime = "";

/** Local time as Apache's common log format has it, `[20/Nov/2026:11:24:13 +0000]`. */
function commonLogTime(nowMs: number): string {
  // Made once a second, not for each line (bench: access-log).
  const second = Math.trunc(nowMs / 1000);
  if (second === lastSecond) return lastTime;
  const date = new Date(nowMs);
  const offset = -date.getTimezoneOffset();
  const minutes = Math.abs(offset);
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.trunc(minutes / 60))}${two(minutes % 60)}`;
  const day = `${two(date.getDate())}/${months[date.getMonth()]}/${date.getFullYear()}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  lastSecond = second;
  lastTime = `[${day}:${time} ${zone}]`;
  return lastTime;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

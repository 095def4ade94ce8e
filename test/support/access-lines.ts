/** Reading access logs back: the combined format by a strict pattern, and texts to the bytes that they were made of. */
import type { RequestRecord } from "../../src/api/request-record.ts";

export interface CombinedLine {
  readonly host: string;
  readonly user: string;
  readonly request: string;
  readonly status: number;
  /** `-` if it isn't known. */
  readonly bytes: string;
  readonly referer: string;
  readonly userAgent: string;
}

/** Anything in quotes, as `\"`, `\\` and `\xhh` write it. */
const quoted = String.raw`"((?:[ !#-\[\]-~]|\\["\\]|\\x[0-9a-f]{2})*)"`;

const combined = new RegExp(
  String.raw`^([0-9a-f.:]+|-) - ((?:[!#-Z\]-~]|\\\\|\\x[0-9a-f]{2})+) \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] ${quoted} (\d{3}) (\d+|-) ${quoted} ${quoted}$`,
);

/** Throws for a line that isn't of the default format. */
export function parseCombined(line: string): CombinedLine {
  const found = combined.exec(line);
  if (found === null) throw new Error(`not of the combined format: ${JSON.stringify(line)}`);
  const [, host = "", user = "", request = "", status, bytes = "", referer = "", agent = ""] =
    found;
  return { host, user, request, status: Number(status), bytes, referer, userAgent: agent };
}

/** The bytes, one character for each, that an escaped text was made of. */
export function unescapeText(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex: string | undefined, other: string) =>
    hex === undefined ? other : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** A record with the usual values, and others where they are wanted. */
export function record(
  given: Partial<RequestRecord> & {
    readonly headers?: Readonly<Record<string, string>>;
    readonly answerHeaders?: Readonly<Record<string, string>>;
    readonly variables?: Readonly<Record<string, string>>;
  } = {},
): RequestRecord {
  const { headers = {}, answerHeaders = {}, variables = {}, ...facts } = given;
  return {
    method: "GET",
    target: "/path?query=1",
    protocol: "HTTP/1.1",
    clientAddress: "192.0.2.1",
    status: 200,
    bodyBytes: 1234,
    durationUs: 1_234_567,
    requestHeader: (name) => headers[name] ?? null,
    responseHeader: (name) => answerHeaders[name] ?? null,
    environ: (name) => variables[name] ?? null,
    ...facts,
  };
}

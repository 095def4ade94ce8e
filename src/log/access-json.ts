/** The JSON form of the access log: one object a line, always the same fields in the same order. docs/logging.md has them. */
import { escapeText } from "./escape.ts";
import { basicUser, rawPath, rawQuery } from "./request-facts.ts";
import type { RequestRecord } from "./request-record.ts";

/** What isn't known is null. */
export function formatAccessJson(request: RequestRecord): string {
  const { method, protocol, clientAddress, status, bodyBytes, durationUs } = request;
  const path = method === "" ? request.target : rawPath(request);
  return JSON.stringify({
    time: new Date().toISOString(),
    logger: "gunicorn.access",
    pid: process.pid,
    remote_addr: clientAddress || null,
    user: decode(basicUser(request)),
    method: decode(method || null),
    path: decode(path || null),
    query: decode(rawQuery(request)),
    protocol: protocol || null,
    status,
    bytes: bodyBytes === -1 ? null : bodyBytes,
    duration_us: durationUs,
    referer: decode(request.requestHeader("referer")),
    user_agent: decode(request.requestHeader("user-agent")),
    host: decode(request.requestHeader("host")),
  });
}

const notAscii = /[^\x00-\x7f]/;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as the UTF-8 that they are, or as the plain form of the log shows them. */
function decode(text: string | null): string | null {
  if (text === null || !notAscii.test(text)) return text;
  try {
    return utf8.decode(Buffer.from(text, "latin1"));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return escapeText(text);
  }
}

/**
 * The JSON form of the access log: one object a line, always the same fields in the same order. docs/logging.md has
 * them.
 */
import type { RequestRecord } from "../../api/request-record.ts";
import { decodeText } from "../lines/json-text.ts";
import { basicUser, rawPath, rawQuery } from "./request-facts.ts";

/** The line of a request; what isn't known is null. */
export function formatAccessJson(request: RequestRecord): string {
  const { method, protocol, clientAddress, status, bodyBytes, durationUs, tls, trace } = request;
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
    tls_protocol: tls?.version ?? null,
    tls_cipher: tls?.cipher ?? null,
    tls_client: decode(tls?.clientSubject ?? null),
    trace_id: trace?.traceId ?? null,
    span_id: trace?.spanId ?? null,
  });
}

function decode(text: string | null): string | null {
  return text === null ? null : decodeText(text);
}

/** Spans as OTLP has them in JSON (opentelemetry-proto, trace/v1): ids in hexadecimal, 64-bit numbers as text. Pure. */
import type { RequestRecord } from "../../api/request-record.ts";
import type { Trace } from "../../api/trace.ts";

export type Attributes = Readonly<Record<string, string | number>>;

/** Span.SpanKind and Status.StatusCode, by their numbers. */
const kindServer = 2;
const statusError = 2;
/** SpanFlags: whether the parent is remote is known, and it is; the lowest is `sampled`. */
const sampledFlag = 0x001;
const hasIsRemote = 0x100;
const isRemote = 0x200;

/** The methods of RFC 9110 and RFC 5789; all others are one, so that a client can't make up names. */
const knownMethods: ReadonlySet<string> = new Set(
  "CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE".split(" "),
);

/** The field Host (RFC 9110 §7.2). */
const hostAndPort = /^(\[[^\]]*\]|[^:]+)(?::([0-9]+))?$/;

export interface SpanFacts {
  readonly request: Pick<
    RequestRecord,
    "method" | "protocol" | "clientAddress" | "status" | "durationUs"
  >;
  readonly trace: Trace;
  readonly path: string;
  readonly scheme: string | null;
  readonly host: string | null;
  readonly userAgent: string | null;
  /** When its answer was complete, in microseconds since 1970. */
  readonly endedUs: number;
}

/**
 * One span, as text: what waits for the collector is small, and nothing holds the request. Written piece by piece: most
 * of it is the same each time, and JSON.stringify() of the whole costs several times as much (bench: traces).
 */
export function spanText(facts: SpanFacts): string {
  const { request, trace, path, scheme, host, userAgent, endedUs } = facts;
  const { method, protocol, clientAddress, status, durationUs } = request;
  const { traceId, spanId, parentId, tracestate } = trace;
  const known = knownMethods.has(method);
  const answered = status !== 499;
  const failed = status >= 500;
  const [, address = null, port = null] = hostAndPort.exec(host ?? "") ?? [];
  const flags = sampledFlag | hasIsRemote | (parentId === null ? 0 : isRemote);
  const attributes =
    text("http.request.method", known ? method : "_OTHER") +
    text("http.request.method_original", known ? null : method) +
    text("url.path", path) +
    text("url.scheme", scheme) +
    text("server.address", address) +
    number("server.port", port === null ? null : Number(port)) +
    text("client.address", clientAddress || null) +
    text("user_agent.original", userAgent) +
    text("network.protocol.version", protocol.startsWith("HTTP/") ? protocol.slice(5) : null) +
    number("http.response.status_code", answered ? status : null) +
    // As the semantic conventions want it: the status, or what there was in its place.
    text("error.type", failed ? String(status) : answered ? null : "client_left");
  return (
    `{"traceId":"${traceId}","spanId":"${spanId}"` +
    (tracestate === "" ? "" : `,"traceState":${JSON.stringify(tracestate)}`) +
    (parentId === null ? "" : `,"parentSpanId":"${parentId}"`) +
    `,"flags":${flags},"name":"${known ? method : "HTTP"}","kind":${kindServer}` +
    `,"startTimeUnixNano":"${nanoseconds(endedUs - durationUs)}"` +
    `,"endTimeUnixNano":"${nanoseconds(endedUs)}"` +
    // Each begins with its comma.
    `,"attributes":[${attributes.slice(1)}],"status":${failed ? `{"code":${statusError}}` : "{}"}}`
  );
}

/** The body of a request to the collector. */
export function requestText(
  resource: Attributes,
  version: string,
  spans: readonly string[],
): string {
  const scope = JSON.stringify({ name: "gunicorn-ts", version });
  const attributes = Object.entries(resource).map(([key, value]) => {
    return {
      key,
      value: typeof value === "string" ? { stringValue: value } : { intValue: String(value) },
    };
  });
  return `{"resourceSpans":[{"resource":{"attributes":${JSON.stringify(attributes)}},"scopeSpans":[{"scope":${scope},"spans":[${spans.join(",")}]}]}]}`;
}

/** One of a span, behind a comma; what isn't known is left out. */
function text(key: string, value: string | null): string {
  return value === null ? "" : `,{"key":"${key}","value":{"stringValue":${JSON.stringify(value)}}}`;
}

function number(key: string, value: number | null): string {
  return value === null ? "" : `,{"key":"${key}","value":{"intValue":"${value}"}}`;
}

function nanoseconds(us: number): string {
  return `${Math.round(us)}000`;
}

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
 * One span, as text: what waits for the collector is small, and nothing holds the request. Written piece by piece, and
 * of few pieces: most of it is the same each time, and code and memory that one request of a hundred needs are in no
 * cache (bench: traces).
 */
export function spanText(facts: SpanFacts): string {
  const { request, trace, path, scheme, host, userAgent, endedUs } = facts;
  const { method, protocol, clientAddress, status, durationUs } = request;
  const { traceId, spanId, parentId, tracestate } = trace;
  const flags = sampledFlag | hasIsRemote | (parentId === null ? 0 : isRemote);
  return (
    `{"traceId":"${traceId}","spanId":"${spanId}"` +
    (tracestate === "" ? "" : `,"traceState":${JSON.stringify(tracestate)}`) +
    (parentId === null ? "" : `,"parentSpanId":"${parentId}"`) +
    `,"flags":${flags},"startTimeUnixNano":"${nanoseconds(endedUs - durationUs)}"` +
    `,"endTimeUnixNano":"${nanoseconds(endedUs)}"` +
    // Its list of attributes begins here, and ends with that of the outcome.
    textOfRequest(method, protocol) +
    text("url.path", path) +
    textOfServer(scheme, host) +
    textOfClient(clientAddress, userAgent) +
    textOfOutcome(status)
  );
}

const textOfRequest = keepingLast((method: string, protocol: string) => {
  const known = knownMethods.has(method);
  return [
    `,"name":"${known ? method : "HTTP"}","kind":${kindServer},"attributes":[`,
    // The first one has no comma.
    text("http.request.method", known ? method : "_OTHER").slice(1),
    text("http.request.method_original", known ? null : method),
    text("network.protocol.version", protocol.startsWith("HTTP/") ? protocol.slice(5) : null),
  ];
});

const textOfServer = keepingLast((scheme: string | null, host: string | null) => {
  const [, address = null, port = null] = hostAndPort.exec(host ?? "") ?? [];
  return [
    text("url.scheme", scheme),
    text("server.address", address),
    number("server.port", port === null ? null : Number(port)),
  ];
});

const textOfClient = keepingLast((address: string, userAgent: string | null) => [
  text("client.address", address || null),
  text("user_agent.original", userAgent),
]);

const textOfOutcome = keepingLast((status: number) => {
  const answered = status !== 499;
  const failed = status >= 500;
  return [
    number("http.response.status_code", answered ? status : null),
    // As the semantic conventions want it: the status, or what there was in its place.
    text("error.type", failed ? String(status) : answered ? null : "client_left"),
    `],"status":${failed ? `{"code":${statusError}}` : "{}"}}`,
  ];
});

/** What `make` makes, put together once for as long as its arguments stay the same: of most spans they do. */
function keepingLast<First, Second = undefined>(
  make: (first: First, second: Second) => readonly string[],
): (first: First, second?: Second) => string {
  let last: { readonly first: First; readonly second: Second; readonly made: string } | null = null;
  return (first, second) => {
    if (last === null || last.first !== first || last.second !== second)
      last = { first, second: second as Second, made: make(first, second as Second).join("") };
    return last.made;
  };
}

/** The body of a request to the collector, apart from its spans. */
export function requestFrame(
  resource: Attributes,
  version: string,
): { readonly opening: string; readonly closing: string } {
  const scope = JSON.stringify({ name: "gunicorn-ts", version });
  const attributes = Object.entries(resource).map(([key, value]) => {
    return {
      key,
      value: typeof value === "string" ? { stringValue: value } : { intValue: String(value) },
    };
  });
  return {
    opening: `{"resourceSpans":[{"resource":{"attributes":${JSON.stringify(attributes)}},"scopeSpans":[{"scope":${scope},"spans":[`,
    closing: "]}]}]}",
  };
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

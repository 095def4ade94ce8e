/** Spans as OTLP has them in JSON (opentelemetry-proto, trace/v1): ids in hexadecimal, 64-bit numbers as text. Pure. */
import type { RequestRecord } from "../../api/request-record.ts";
import type { Trace } from "../../api/trace.ts";

type Value = string | number;
export type Attributes = Readonly<Record<string, Value | null>>;

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

/** One span, as text: what waits for the collector is small, and nothing holds the request. */
export function spanText(facts: SpanFacts): string {
  const { request, trace, path, scheme, host, userAgent, endedUs } = facts;
  const { method, protocol, clientAddress, status, durationUs } = request;
  const known = knownMethods.has(method);
  const answered = status !== 499;
  const failed = status >= 500;
  const [, address = null, port = null] = hostAndPort.exec(host ?? "") ?? [];
  const remote = trace.parentId === null ? 0 : isRemote;
  return JSON.stringify({
    traceId: trace.traceId,
    spanId: trace.spanId,
    ...(trace.tracestate === "" ? {} : { traceState: trace.tracestate }),
    ...(trace.parentId === null ? {} : { parentSpanId: trace.parentId }),
    flags: sampledFlag | hasIsRemote | remote,
    name: known ? method : "HTTP",
    kind: kindServer,
    startTimeUnixNano: nanoseconds(endedUs - durationUs),
    endTimeUnixNano: nanoseconds(endedUs),
    attributes: attributesOf({
      "http.request.method": known ? method : "_OTHER",
      "http.request.method_original": known ? null : method,
      "url.path": path,
      "url.scheme": scheme,
      "server.address": address,
      "server.port": port === null ? null : Number(port),
      "client.address": clientAddress || null,
      "user_agent.original": userAgent,
      "network.protocol.version": /^HTTP\/(.*)$/.exec(protocol)?.[1] ?? null,
      "http.response.status_code": answered ? status : null,
      // As the semantic conventions want it: the status, or what there was in its place.
      "error.type": failed ? String(status) : answered ? null : "client_left",
    }),
    status: failed ? { code: statusError } : {},
  });
}

/** The body of a request to the collector. */
export function requestText(
  resource: Attributes,
  version: string,
  spans: readonly string[],
): string {
  const scope = JSON.stringify({ name: "gunicorn-ts", version });
  const attributes = JSON.stringify(attributesOf(resource));
  return `{"resourceSpans":[{"resource":{"attributes":${attributes}},"scopeSpans":[{"scope":${scope},"spans":[${spans.join(",")}]}]}]}`;
}

/** What isn't known is left out. */
function attributesOf(attributes: Attributes): object[] {
  return Object.entries(attributes).flatMap(([key, value]) => {
    if (value === null) return [];
    return [
      {
        key,
        value: typeof value === "string" ? { stringValue: value } : { intValue: String(value) },
      },
    ];
  });
}

function nanoseconds(us: number): string {
  return `${Math.round(us)}000`;
}

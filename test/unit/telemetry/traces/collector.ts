/** A collector of traces that takes nothing for granted: what it gets is held against the rules of OTLP in JSON. */

type Json = Readonly<Record<string, unknown>>;

export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly flags: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number };
  readonly attributes: Readonly<Record<string, string>>;
}

/** What is wrong with a request's body, by opentelemetry-proto; throws at the first. */
export function readTraces(body: unknown): {
  readonly spans: CollectedSpan[];
  readonly resource: Readonly<Record<string, string>>;
} {
  const spans: CollectedSpan[] = [];
  let resource: Readonly<Record<string, string>> = {};
  for (const group of listOf(only(body, "resourceSpans"), "resourceSpans")) {
    const { resource: of, scopeSpans } = only(group, "resource", "scopeSpans");
    resource = readAttributes(only(of, "attributes")["attributes"]);
    if (!("service.name" in resource)) throw new Error("no service.name");
    for (const each of listOf({ scopeSpans }, "scopeSpans")) {
      const { scope } = only(each, "scope", "spans");
      const { name, version } = only(scope, "name", "version");
      if (typeof name !== "string" || typeof version !== "string") throw new Error("scope");
      spans.push(...listOf(each as Json, "spans").map(readSpan));
    }
  }
  return { spans, resource };
}

const fields =
  "traceId spanId traceState parentSpanId flags name kind startTimeUnixNano endTimeUnixNano attributes status";

function readSpan(value: unknown): CollectedSpan {
  const span = only(value, ...fields.split(" "));
  const { traceId, spanId, parentSpanId, kind, name, flags, traceState } = span;
  check(isId(traceId, 32), "traceId", traceId);
  check(isId(spanId, 16), "spanId", spanId);
  check(parentSpanId === undefined || isId(parentSpanId, 16), "parentSpanId", parentSpanId);
  check(typeof name === "string" && name !== "", "name", name);
  check(Number.isInteger(kind) && Number(kind) >= 0 && Number(kind) <= 5, "kind", kind);
  check(Number.isInteger(flags) && Number(flags) < 2 ** 32, "flags", flags);
  check(traceState === undefined || typeof traceState === "string", "traceState", traceState);
  const [start, end] = [span["startTimeUnixNano"], span["endTimeUnixNano"]];
  // fixed64 is a text in JSON.
  for (const time of [start, end])
    check(typeof time === "string" && /^[1-9][0-9]{18}$/.test(time), "time", time);
  check(BigInt(end as string) >= BigInt(start as string), "end before start", [start, end]);
  const { code = 0 } = only(span["status"], "code", "message");
  check(code === 0 || code === 1 || code === 2, "status.code", code);
  return { ...span, attributes: readAttributes(span["attributes"]) } as unknown as CollectedSpan;
}

function readAttributes(value: unknown): Readonly<Record<string, string>> {
  const pairs = listOf({ value } as Json, "value").map((pair) => {
    const { key, value: any } = only(pair, "key", "value");
    check(typeof key === "string" && key !== "", "key", key);
    const entries = Object.entries(any as object);
    check(entries.length === 1, "one value", any);
    const [type, held] = entries[0] as [string, unknown];
    // int64 is a text too.
    const isText = type === "stringValue" && typeof held === "string";
    const isNumber =
      type === "intValue" && /^-?[0-9]+$/.test(String(held)) && typeof held === "string";
    check(isText || isNumber, "value", any);
    return [key as string, held as string] as const;
  });
  check(new Set(pairs.map(([key]) => key)).size === pairs.length, "keys", pairs);
  return Object.fromEntries(pairs);
}

function isId(value: unknown, length: number): boolean {
  return (
    typeof value === "string" &&
    value.length === length &&
    /^[0-9a-f]+$/.test(value) &&
    !/^0+$/.test(value)
  );
}

function only(value: unknown, ...names: readonly string[]): Json {
  check(typeof value === "object" && value !== null && !Array.isArray(value), "object", value);
  const unknown = Object.keys(value as object).find((name) => !names.includes(name));
  check(unknown === undefined, "unknown field", unknown);
  return value as Json;
}

function listOf(value: Json, name: string): readonly unknown[] {
  check(Array.isArray(value[name]), name, value[name]);
  return value[name] as unknown[];
}

function check(right: boolean, what: string, got: unknown): void {
  if (!right) throw new Error(`${what}: ${JSON.stringify(got)}`);
}

export class Collector implements Disposable {
  readonly spans: CollectedSpan[] = [];
  /** What was wrong with what came. */
  readonly faults: string[] = [];
  readonly headers: Headers[] = [];
  resource: Readonly<Record<string, string>> = {};
  /** What it answers; null: 200. */
  answer: (() => Response) | null = null;
  readonly #server: Bun.Server<undefined>;

  constructor() {
    this.#server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request) => this.#take(request),
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  async #take(request: Request): Promise<Response> {
    this.headers.push(request.headers);
    try {
      check(request.method === "POST", "method", request.method);
      check(new URL(request.url).pathname === "/v1/traces", "path", request.url);
      check(request.headers.get("content-type") === "application/json", "type", null);
      const read = readTraces(await request.json());
      if (this.answer !== null) return this.answer();
      this.resource = read.resource;
      this.spans.push(...read.spans);
    } catch (error) {
      this.faults.push((error as Error).message);
      return new Response("", { status: 400 });
    }
    return Response.json({ partialSuccess: {} });
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }
}

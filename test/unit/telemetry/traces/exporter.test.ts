/** What becomes of spans, with a collector that checks them. */
import { logTo } from "../../../support/log-lines.ts";
import { describe, expect, test } from "bun:test";
import { Exporter } from "../../../../src/telemetry/traces/exporter.ts";
import { spanText } from "../../../../src/telemetry/traces/otlp.ts";
import { readTraceparent, RequestTrace } from "../../../../src/telemetry/traces/trace-context.ts";
import { Collector } from "./collector.ts";
import { until } from "../../../support/server.ts";

const request = {
  method: "GET",
  protocol: "HTTP/1.1",
  clientAddress: "192.0.2.1",
  status: 200,
  durationUs: 1500,
};

function span(changes: Partial<typeof request> = {}, traceparent: string | null = null): string {
  return spanText({
    request: { ...request, ...changes },
    trace: new RequestTrace(readTraceparent(traceparent), "a=b", true, {
      hex: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)).toHex(),
    }),
    path: "/a",
    scheme: "http",
    host: "example.com:8000",
    userAgent: null,
    endedUs: 1_795_902_293_489_883,
  });
}

function exporterTo(url: string, limits: Partial<Record<string, number>> = {}) {
  const lines: string[] = [];
  const line = (text: string) => void lines.push(text);
  const log = logTo(line);
  let dropped = 0;
  const exporter = new Exporter({
    settings: {
      url: `${url}/v1/traces`,
      headers: { "x-key": "k" },
      resource: { "service.name": "app" },
      limits: { delayMs: 10, queueSize: 8, batchSize: 4, timeoutMs: 30_000, ...limits },
    },
    version: "1",
    log,
    onDropped: (count) => void (dropped += count),
  });
  return { exporter, lines, dropped: () => dropped };
}

describe("a span", () => {
  test("tells of its own request, whatever the one before was", () => {
    const alike = { trace: new RequestTrace(null, null, true, { hex: () => "1" }), endedUs: 1 };
    const bare = { path: "/b", scheme: null, host: null, userAgent: null, ...alike };
    const rows = [
      { path: "/a", scheme: "http", host: "a:1", userAgent: "x", ...alike, request },
      { path: "/b", scheme: "http", host: "b:1", userAgent: "x", ...alike, request },
      { path: "/b", scheme: "https", host: "b:1", userAgent: null, ...alike, request },
      { ...bare, request },
      ...[{ status: 500 }, { status: 499 }, { method: "POST" }, { protocol: "HTTP/1.0" }].map(
        (change) => ({ ...bare, request: { ...request, ...change } }),
      ),
    ];
    const once = new Map(rows.map((row) => [row, spanText(row)]));
    for (const row of rows.toReversed()) expect(spanText(row)).toBe(once.get(row) as string);
    expect(new Set(once.values()).size).toBe(rows.length);
    for (const [row, text] of once) {
      for (const value of [row.path, row.host?.slice(0, 1), row.scheme, row.userAgent])
        if (typeof value === "string") expect(text).toContain(`"stringValue":"${value}"`);
    }
  });

  test("is what OTLP wants, and tells of its request", async () => {
    using collector = new Collector();
    const { exporter } = exporterTo(collector.url);
    const from = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    exporter.add(span({}, from));
    exporter.add(span({ status: 503, method: "BREW" }));
    exporter.add(span({ status: 499 }));
    await until("spans", () => collector.spans.length === 3);
    expect(collector.faults).toEqual([]);
    expect(collector.headers[0]?.get("x-key")).toBe("k");
    const [first, second, third] = collector.spans;
    expect(first).toMatchObject({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      parentSpanId: "b7ad6b7169203331",
      traceState: "a=b",
      name: "GET",
      kind: 2,
      flags: 0x301,
      startTimeUnixNano: "1795902293488383000",
      endTimeUnixNano: "1795902293489883000",
      status: {},
      attributes: {
        "http.request.method": "GET",
        "url.path": "/a",
        "url.scheme": "http",
        "server.address": "example.com",
        "server.port": "8000",
        "client.address": "192.0.2.1",
        "network.protocol.version": "1.1",
        "http.response.status_code": "200",
      },
    });
    expect(second).toMatchObject({ name: "HTTP", flags: 0x101, status: { code: 2 } });
    expect(second?.attributes).toMatchObject({
      "http.request.method": "_OTHER",
      "http.request.method_original": "BREW",
      "error.type": "503",
    });
    expect(third?.attributes["error.type"]).toBe("client_left");
    expect(third?.attributes["http.response.status_code"]).toBeUndefined();
  });
});

describe("a collector", () => {
  test("that is slow makes nobody wait: what the queue can't hold is dropped and counted", async () => {
    using collector = new Collector();
    const { exporter, dropped } = exporterTo(collector.url);
    // Four are under way, eight wait.
    for (let count = 0; count < 20; count += 1) exporter.add(span());
    expect(dropped()).toBe(8);
    await exporter.end(60_000);
    expect(collector.spans.length).toBe(12);
    expect(collector.faults).toEqual([]);
  });

  test("that fails for a while gets the same again, and the log says so once", async () => {
    using collector = new Collector();
    let fails = 2;
    collector.answer = () => {
      fails -= 1;
      if (fails === 0) collector.answer = null;
      return new Response("", { status: 503, headers: { "retry-after": "0" } });
    };
    const { exporter, lines, dropped } = exporterTo(collector.url);
    exporter.add(span());
    await until("the span", () => collector.spans.length === 1);
    await exporter.end(60_000);
    expect(dropped()).toBe(0);
    expect(lines).toEqual([
      `Traces: can't send spans to ${collector.url}/v1/traces: it answers 503`,
      `Traces: ${collector.url}/v1/traces takes spans again`,
    ]);
  });

  test.each([
    ["refuses them", () => new Response("", { status: 400 }), 1],
    ["is elsewhere", () => Response.redirect("http://127.0.0.1:1/"), 1],
    ["takes some", () => Response.json({ partialSuccess: { rejectedSpans: "1" } }), 1],
    ["says something else", () => new Response("thanks"), 0],
  ])("that %s: what is lost is counted", async (_what, answer, lost) => {
    using collector = new Collector();
    collector.answer = answer;
    const { exporter, dropped } = exporterTo(collector.url);
    exporter.add(span());
    await exporter.end(60_000);
    expect(dropped()).toBe(lost);
  });

  test("that isn't there keeps no worker from leaving", async () => {
    const { exporter, lines, dropped } = exporterTo("http://127.0.0.1:1", { delayMs: 60_000 });
    for (let count = 0; count < 3; count += 1) exporter.add(span());
    await exporter.end(60_000);
    expect(dropped()).toBe(3);
    expect(lines.at(-1)).toBe("Traces: 3 spans were dropped");
  });
});

/** otel_endpoint: what the app, the log and a collector get to know of a request. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Trace } from "../../src/api/trace.ts";
import { adminArgs, adminUrl, scrape } from "../support/admin.ts";
import { Collector } from "../unit/telemetry/traces/collector.ts";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn, until } from "../support/server.ts";

setDefaultTimeout(120_000);

const library = join(import.meta.dir, "../../src/index.ts");

const apps = {
  fetch: `import { currentTrace } from "${library}";
export const fetch = async (request, server) => {
  if (new URL(request.url).pathname === "/throws") throw new Error("on purpose");
  await Bun.sleep(1);
  return Response.json([server.trace(request), currentTrace()]);
};
`,
  node: `import { currentTrace } from "${library}";
export default (req, res) => {
  if (req.url === "/throws") throw new Error("on purpose");
  setTimeout(() => res.end(JSON.stringify([currentTrace(), currentTrace()])), 1);
};
`,
};

const from = {
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "vendor=1",
};
const env = {
  OTEL_BSP_SCHEDULE_DELAY: "50",
  OTEL_SERVICE_NAME: "shop",
  OTEL_EXPORTER_OTLP_HEADERS: "x-key=secret",
};
const logged = [
  "--access-logfile",
  "-",
  "--access-logformat",
  "%(U)s %({TRACE_ID}x)s %({SPAN_ID}x)s",
];

const rows: readonly (readonly [workerClass: string, app: keyof typeof apps])[] = [
  ["async", "fetch"],
  ["async", "node"],
  ["sync", "fetch"],
  ["serve", "fetch"],
];

describe.each(rows)("-k %s, an app that is asked by %s", (workerClass, app) => {
  test("goes on with the client's trace, and is a span of it", async () => {
    using collector = new Collector();
    const args = ["-k", workerClass, "--otel-endpoint", collector.url, ...logged];
    await using server = await gunicorn({ files: { "app.ts": apps[app] }, args, env });
    const [ofServer, current] = (await (
      await server.fetch("/caf%C3%A9?secret=1", { headers: from })
    ).json()) as Trace[];
    expect(current).toEqual(ofServer as Trace);
    const { traceId, spanId } = ofServer as Trace;
    expect(ofServer).toMatchObject({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      parentId: "b7ad6b7169203331",
      sampled: true,
      tracestate: "vendor=1",
      traceparent: `00-${traceId}-${spanId}-01`,
    });
    expect((await server.fetch("/throws")).status).toBe(500);
    await until("three spans", () => collector.spans.length >= 3);
    expect(collector.faults).toEqual([]);
    expect(collector.resource).toEqual({ "service.name": "shop" });
    expect(collector.headers[0]?.get("x-key")).toBe("secret");
    const span = collector.spans.find((each) => each.traceId === traceId);
    expect(span).toMatchObject({
      spanId,
      parentSpanId: "b7ad6b7169203331",
      traceState: "vendor=1",
    });
    expect(span?.attributes).toMatchObject({
      "url.path": "/caf%C3%A9",
      "http.response.status_code": "200",
      "server.port": String(server.port),
    });
    const failed = collector.spans.find(({ status }) => status.code === 2);
    expect(failed?.attributes["url.path"]).toBe("/throws");
    await server.logged(`/caf\\xc3\\xa9 ${traceId} ${spanId}`);
    expect(await server.stop()).toBe(0);
  });
});

test("a worker that leaves sends what it has, and one without a collector counts what it loses", async () => {
  using collector = new Collector();
  const files = { "app.ts": apps.fetch };
  {
    const args = ["--otel-endpoint", `${collector.url}/v1/traces`];
    await using server = await gunicorn({ files, args });
    expect(await server.stop()).toBe(0);
  }
  expect(collector.spans.length).toBeGreaterThan(0);
  const lost = {
    ...env,
    OTEL_BSP_MAX_QUEUE_SIZE: "1",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
  };
  const args = ["--otel-endpoint", "env", ...adminArgs];
  await using server = await gunicorn({ files, args, env: lost });
  for (let count = 0; count < 5; count += 1) expect((await server.fetch()).status).toBe(200);
  await server.logged("Traces: can't send spans to http://127.0.0.1:1/v1/traces");
  const url = await adminUrl(server);
  await until(
    "lost spans",
    async () => ((await scrape(url)).get("gunicorn_spans_dropped_total") ?? 0) > 0,
  );
  expect(await server.stop()).toBe(0);
});

test("what isn't sampled isn't sent, and the app passes that on", async () => {
  using collector = new Collector();
  const args = ["--otel-endpoint", collector.url, "--otel-sample", "0"];
  await using server = await gunicorn({ files: { "app.ts": apps.fetch }, args, env });
  const [trace] = (await (await server.fetch()).json()) as Trace[];
  expect(trace).toMatchObject({ sampled: false, parentId: null });
  expect(trace?.traceparent).toEndWith("-00");
  // The client has decided for its own.
  await (await server.fetch("/kept", { headers: from })).text();
  expect(await server.stop()).toBe(0);
  expect(collector.spans.map(({ attributes }) => attributes["url.path"])).toEqual(["/kept"]);
});

test.each(rows)(
  "-k %s, asked by %s: one that isn't sampled is whole all the same",
  async (workerClass, app) => {
    using collector = new Collector();
    const sampled = ["--otel-endpoint", collector.url, "--otel-sample", "0"];
    const args = ["-k", workerClass, ...sampled, ...logged];
    await using server = await gunicorn({ files: { "app.ts": apps[app] }, args, env });
    const traceparent = from.traceparent.replace(/01$/, "00");
    const seen = new Set<string>();
    // The same bytes again and again.
    for (let count = 0; count < 3; count += 1) {
      const headers = { ...from, traceparent };
      const [ofServer, current] = (await (await server.fetch("/", { headers })).json()) as Trace[];
      const { traceId, spanId } = ofServer as Trace;
      expect(current).toEqual(ofServer as Trace);
      expect(ofServer).toMatchObject({
        traceId: "0af7651916cd43dd8448eb211c80319c",
        parentId: "b7ad6b7169203331",
        sampled: false,
        tracestate: "vendor=1",
        traceparent: `00-${traceId}-${spanId}-00`,
      });
      await server.logged(`/ ${traceId} ${spanId}`);
      seen.add(spanId);
    }
    const alone = async () => ((await (await server.fetch()).json()) as Trace[])[0]?.traceId ?? "";
    for (let count = 0; count < 3; count += 1) seen.add(await alone());
    expect(seen.size).toBe(6);
    expect(await server.stop()).toBe(0);
    expect(collector.spans).toEqual([]);
  },
);

test("a request that the app isn't asked for has none in the log", async () => {
  const args = ["--otel-endpoint", "http://127.0.0.1:1", "--otel-sample", "0", ...logged];
  await using server = await gunicorn({ files: { "app.ts": apps.fetch }, args, env });
  using client = await RawClient.connect(server.port);
  client.send("GET /bad HTTP/1.1\r\nHost: a b\r\n\r\n");
  await server.logged("/bad - -");
  expect(await server.stop()).toBe(0);
});

test("without it the app has no trace, whatever the client sends", async () => {
  await using server = await gunicorn({ files: { "app.ts": apps.fetch }, env });
  expect(await (await server.fetch("/", { headers: from })).json()).toEqual([null, null]);
  expect(await server.stop()).toBe(0);
});

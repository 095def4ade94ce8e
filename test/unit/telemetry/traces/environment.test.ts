import { describe, expect, test } from "bun:test";
import { readPairs, readTraceSettings } from "../../../../src/telemetry/traces/environment.ts";

type Env = Readonly<Record<string, string>>;

const read = (env: Env, endpoint = "env", sample: number | null = null) =>
  readTraceSettings(endpoint, sample, "app", env);

test.each([
  ["http://a:4318", {}, "http://a:4318/v1/traces"],
  ["http://a:4318/", {}, "http://a:4318/v1/traces"],
  ["http://a/otlp", {}, "http://a/otlp/v1/traces"],
  ["http://a/v1/traces", {}, "http://a/v1/traces"],
  ["http://a", { OTEL_EXPORTER_OTLP_ENDPOINT: "http://b" }, "http://a/v1/traces"],
  ["env", {}, "http://localhost:4318/v1/traces"],
  ["env", { OTEL_EXPORTER_OTLP_ENDPOINT: "http://b:1" }, "http://b:1/v1/traces"],
  ["env", { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c/x" }, "http://c/x"],
  ["env", { OTEL_EXPORTER_OTLP_ENDPOINT: " " }, "http://localhost:4318/v1/traces"],
])("otel_endpoint %s with %j is %s", (endpoint, env, url) => {
  expect(read(env as Env, endpoint)?.url).toBe(url);
});

test.each([[{ OTEL_SDK_DISABLED: "TRUE" }], [{ OTEL_TRACES_EXPORTER: "none" }]])(
  "%j switches traces off",
  (env) => expect(read(env as unknown as Env)).toBeNull(),
);

test.each([
  [null, {}, true, 1],
  [0.25, { OTEL_TRACES_SAMPLER: "always_off" }, true, 0.25],
  [null, { OTEL_TRACES_SAMPLER: "always_on" }, false, 1],
  [null, { OTEL_TRACES_SAMPLER: "always_off" }, false, 0],
  [null, { OTEL_TRACES_SAMPLER: "parentbased_always_off" }, true, 0],
  [null, { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.1" }, false, 0.1],
  [null, { OTEL_TRACES_SAMPLER: "parentbased_traceidratio" }, true, 1],
])("otel_sample %p with %j: parent based %p, ratio %d", (sample, env, parentBased, ratio) => {
  const settings = read(env as Env, "env", sample);
  expect(settings?.sampler).toEqual({ parentBased, ratio });
  expect(settings?.remarks).toEqual([]);
});

test.each([
  [{ OTEL_TRACES_SAMPLER: "jaeger_remote" }, "OTEL_TRACES_SAMPLER is jaeger_remote"],
  [
    { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" },
    "OTEL_TRACES_SAMPLER_ARG is 2",
  ],
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, "is grpc: http/json is spoken"],
  [{ OTEL_TRACES_EXPORTER: "zipkin" }, "OTEL_TRACES_EXPORTER is zipkin"],
])("what isn't honoured of %j is said", (env, words) => {
  expect(read(env as unknown as Env)?.remarks).toEqual([expect.stringContaining(words)]);
});

describe("what goes along", () => {
  test("resource, headers and limits", () => {
    const settings = read({
      OTEL_RESOURCE_ATTRIBUTES: "service.name=other,deployment.environment=prod%20eu",
      OTEL_SERVICE_NAME: "shop",
      OTEL_EXPORTER_OTLP_HEADERS: "a=1,b=2",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "b=3",
      OTEL_BSP_SCHEDULE_DELAY: "100",
      OTEL_BSP_MAX_QUEUE_SIZE: "10",
      OTEL_EXPORTER_OTLP_TIMEOUT: "x",
    });
    expect(settings?.resource).toEqual({
      "service.name": "shop",
      "deployment.environment": "prod eu",
    });
    expect(settings?.headers).toEqual({ a: "1", b: "3" });
    expect(settings?.limits).toEqual({
      delayMs: 100,
      queueSize: 10,
      batchSize: 10,
      timeoutMs: 10_000,
    });
    expect(read({})?.resource).toEqual({ "service.name": "app" });
  });

  test.each([
    [null, {}],
    ["a=b=c", { a: "b=c" }],
    [" a = b , c ", { a: "b" }],
    ["=b,a=%zz", { a: "%zz" }],
  ])("the pairs of %p", (text, pairs) => expect(readPairs(text)).toEqual(pairs as never));
});

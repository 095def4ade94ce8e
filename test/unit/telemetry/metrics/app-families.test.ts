import { describe, expect, test } from "bun:test";
import {
  aggregate,
  type AppFamily,
  depart,
  readFamilies,
  separate,
  writeAppFamilies,
} from "../../../../src/telemetry/metrics/app-families.ts";

type Values = Readonly<Record<string, number>>;

/** A family whose values are told apart by the label `a`. */
function family(values: Values, change: Partial<AppFamily> = {}): AppFamily {
  return {
    name: "jobs",
    help: "Jobs",
    type: "counter",
    aggregator: "sum",
    values: Object.entries(values).map(([a, value]) => ({
      metricName: null,
      labels: { a },
      value,
    })),
    ...change,
  };
}

function valuesOf(families: readonly AppFamily[]): Values | null {
  const [only] = families;
  if (only === undefined) return null;
  return Object.fromEntries(only.values.map(({ labels, value }) => [labels["a"], value]));
}

describe("aggregate()", () => {
  const rows: readonly (readonly [AppFamily["aggregator"], Values | null])[] = [
    ["sum", { x: 9, y: 1, z: 5 }],
    ["first", { x: 2, y: 1, z: 5 }],
    ["min", { x: 2, y: 1, z: 5 }],
    ["max", { x: 4, y: 1, z: 5 }],
    ["average", { x: 3, y: 1, z: 5 }],
    ["omit", null],
  ];
  test.each(rows)("%s", (aggregator, joined) => {
    const workers = [{ x: 2, y: 1 }, { x: 3 }, { x: 4, z: 5 }];
    const families = workers.map((values) => [family(values, { aggregator })]);
    expect(valuesOf(aggregate(families))).toEqual(joined);
  });

  test("labels are the same in any order, and other parts of a histogram are others", () => {
    const value = (labels: Readonly<Record<string, string>>, metricName: string | null = null) => ({
      values: [{ metricName, labels, value: 1 }],
    });
    const joined = aggregate([
      [family({}, value({ a: "1", b: "2" }))],
      [family({}, value({ b: "2", a: "1" }))],
      [family({}, value({ a: "1", b: "2" }, "jobs_sum"))],
      [family({}, value({ a: "1" }))],
    ]);
    expect(joined[0]?.values.map((each) => each.value)).toEqual([2, 1, 1]);
  });
});

describe("depart()", () => {
  test("keeps what counts, and adds it up", () => {
    const once = depart([], [family({ x: 1, y: 2 })]);
    expect(valuesOf(depart(once, [family({ x: 10, z: 3 })]))).toEqual({ x: 11, y: 2, z: 3 });
  });

  const rows: readonly (readonly [what: string, change: Partial<AppFamily>])[] = [
    ["a gauge", { type: "gauge" }],
    ["the largest of something", { aggregator: "max" }],
    ["what isn't shown", { aggregator: "omit" }],
  ];
  test.each(rows)("forgets %s", (_what, change) => {
    expect(depart([], [family({ x: 1 }, change)])).toEqual([]);
  });

  test("keeps sum and count of a summary, and none of its quantiles", () => {
    const values = [
      { metricName: null, labels: { quantile: 0.5 }, value: 7 },
      { metricName: "jobs_sum", labels: {}, value: 8 },
      { metricName: "jobs_count", labels: {}, value: 2 },
    ];
    const [kept] = depart([], [family({}, { type: "summary", values })]);
    expect(kept?.values.map(({ metricName }) => metricName)).toEqual(["jobs_sum", "jobs_count"]);
  });

  test("keeps so many values", () => {
    const many = Object.fromEntries(Array.from({ length: 15_000 }, (_, at) => [`l${at}`, 1]));
    const all = depart([], [family(many), family(many, { name: "others" })]);
    expect(all.map(({ values }) => values.length)).toEqual([15_000, 5000]);
  });
});

describe("readFamilies()", () => {
  const good = { name: "jobs", help: "Jobs", type: "counter", aggregator: "sum", values: [] };
  const value = { value: 1, labels: {} };
  const rows: readonly (readonly [json: unknown, sentence: string])[] = [
    [null, "its metrics are no list"],
    [[1], "a metric is no object"],
    [[{ ...good, name: "a b" }], "a metric has no name: a b"],
    [[{ ...good, name: 'a{b="c"}' }], 'a metric has no name: a{b="c"}'],
    [[{ ...good, type: "other" }], "jobs: its type is unknown: other"],
    [[{ ...good, aggregator: "median" }], "jobs: its aggregator is unknown: median"],
    [[{ ...good, aggregator: "toString" }], "jobs: its aggregator is unknown: toString"],
    [[{ ...good, values: {} }], "jobs: its values are no list"],
    [[{ ...good, values: [{ ...value, value: "1" }] }], "jobs: a value is none"],
    [[{ ...good, values: [{ ...value, labels: { "a b": 1 } }] }], "jobs: a value is none"],
    [[{ ...good, values: [{ ...value, metricName: "a\nb" }] }], "jobs: a value is none"],
  ];
  test.each(rows)("%j: %s", (json, sentence) => {
    expect(readFamilies(json)).toBe(sentence);
  });

  test("takes what prom-client says, with values that no JSON has", () => {
    const values = [{ value: Number.NaN, labels: { le: "+Inf" }, metricName: "jobs_bucket" }];
    const [read] = readFamilies([{ ...good, values, extra: 1 }]) as readonly AppFamily[];
    expect(read?.values[0]).toEqual({
      value: Number.NaN,
      labels: { le: "+Inf" },
      metricName: "jobs_bucket",
    });
  });
});

describe("separate()", () => {
  test("a name is there once, with or without the ending of a counter", () => {
    const families = ["jobs", "process_cpu_seconds_total", "jobs_total", "others"].map((name) =>
      family({}, { name }),
    );
    // prom-client has gauges whose names end so.
    const gauge = family({}, { name: "others_total", type: "gauge" });
    const { shown, hidden } = separate([{ name: "process_cpu_seconds" }], [...families, gauge]);
    expect(shown.map(({ name }) => name)).toEqual(["jobs", "others", "others_total"]);
    expect(hidden).toEqual(["process_cpu_seconds_total", "jobs_total"]);
  });
});

describe("writeAppFamilies()", () => {
  const histogram: AppFamily = {
    name: "took_seconds",
    help: 'How "long"\nit took',
    type: "histogram",
    aggregator: "sum",
    values: [
      { metricName: "took_seconds_bucket", labels: { le: 1, path: 'a"b\\c' }, value: 2 },
      { metricName: "took_seconds_bucket", labels: { le: "+Inf", path: "" }, value: 3 },
    ],
  };
  const counter = family({ x: 1 }, { name: "jobs_total" });

  test("in OpenMetrics", () => {
    expect(
      writeAppFamilies([counter, family({ x: 2 }), histogram], "openMetrics").split("\n"),
    ).toEqual([
      "# TYPE jobs counter",
      "# HELP jobs Jobs",
      'jobs_total{a="x"} 1',
      "# TYPE jobs counter",
      "# HELP jobs Jobs",
      'jobs_total{a="x"} 2',
      "# TYPE took_seconds histogram",
      '# HELP took_seconds How \\"long\\"\\nit took',
      'took_seconds_bucket{le="1.0",path="a\\"b\\\\c"} 2',
      'took_seconds_bucket{le="+Inf",path=""} 3',
      "",
    ]);
  });

  test("in the older format, as prom-client writes it", () => {
    expect(writeAppFamilies([counter, family({ x: 2 })], "prometheus").split("\n")).toEqual([
      "# TYPE jobs_total counter",
      "# HELP jobs_total Jobs",
      'jobs_total{a="x"} 1',
      "# TYPE jobs counter",
      "# HELP jobs Jobs",
      'jobs{a="x"} 2',
      "",
    ]);
  });
});

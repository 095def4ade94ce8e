import { describe, expect, test } from "bun:test";
import { wantedFormat } from "../../../../src/telemetry/metrics/accept.ts";
import {
  type Family,
  type Format,
  writeMetrics,
} from "../../../../src/telemetry/metrics/open-metrics.ts";

const counter: Family = {
  name: "app_requests",
  type: "counter",
  help: "Requests.",
  samples: [
    { labels: { status: "2xx" }, value: 3 },
    { labels: { status: "5xx", slot: "0" }, value: 0 },
  ],
};

const rows: readonly (readonly [what: string, family: Family, open: string, plain: string])[] = [
  [
    "a counter, whose ending is no part of the family's name in OpenMetrics",
    counter,
    `# TYPE app_requests counter
# HELP app_requests Requests.
app_requests_total{status="2xx"} 3
app_requests_total{status="5xx",slot="0"} 0
`,
    `# TYPE app_requests_total counter
# HELP app_requests_total Requests.
app_requests_total{status="2xx"} 3
app_requests_total{status="5xx",slot="0"} 0
`,
  ],
  [
    "a gauge with a unit, which the older format doesn't know",
    {
      name: "app_memory_bytes",
      type: "gauge",
      unit: "bytes",
      help: "Memory.",
      samples: [{ labels: {}, value: 1.5 }],
    },
    `# TYPE app_memory_bytes gauge
# UNIT app_memory_bytes bytes
# HELP app_memory_bytes Memory.
app_memory_bytes 1.5
`,
    `# TYPE app_memory_bytes gauge
# HELP app_memory_bytes Memory.
app_memory_bytes 1.5
`,
  ],
  [
    "an info, which is a gauge in the older format",
    {
      name: "app_build",
      type: "info",
      help: "Build.",
      samples: [{ labels: { version: "1" }, value: 1 }],
    },
    `# TYPE app_build info
# HELP app_build Build.
app_build_info{version="1"} 1
`,
    `# TYPE app_build_info gauge
# HELP app_build_info Build.
app_build_info{version="1"} 1
`,
  ],
  [
    "a histogram, whose buckets hold what smaller ones hold",
    {
      name: "app_duration_seconds",
      type: "histogram",
      unit: "seconds",
      help: "Durations.",
      samples: [{ labels: { a: "b" }, bounds: [0.5, 1], counts: [2, 0, 5], sum: 12.25 }],
    },
    `# TYPE app_duration_seconds histogram
# UNIT app_duration_seconds seconds
# HELP app_duration_seconds Durations.
app_duration_seconds_bucket{a="b",le="0.5"} 2
app_duration_seconds_bucket{a="b",le="1.0"} 2
app_duration_seconds_bucket{a="b",le="+Inf"} 7
app_duration_seconds_sum{a="b"} 12.25
app_duration_seconds_count{a="b"} 7
`,
    `# TYPE app_duration_seconds histogram
# HELP app_duration_seconds Durations.
app_duration_seconds_bucket{a="b",le="0.5"} 2
app_duration_seconds_bucket{a="b",le="1.0"} 2
app_duration_seconds_bucket{a="b",le="+Inf"} 7
app_duration_seconds_sum{a="b"} 12.25
app_duration_seconds_count{a="b"} 7
`,
  ],
  [
    "what has to be escaped",
    {
      name: "a",
      type: "gauge",
      help: 'a "b" \\ c\nd',
      samples: [{ labels: { path: 'C:\\ "x"\ny' }, value: 1 }],
    },
    '# TYPE a gauge\n# HELP a a \\"b\\" \\\\ c\\nd\na{path="C:\\\\ \\"x\\"\\ny"} 1\n',
    '# TYPE a gauge\n# HELP a a "b" \\\\ c\\nd\na{path="C:\\\\ \\"x\\"\\ny"} 1\n',
  ],
  [
    "numbers that are none",
    {
      name: "a",
      type: "gauge",
      help: "A.",
      samples: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1e21].map(
        (value) => ({ labels: {}, value }),
      ),
    },
    "# TYPE a gauge\n# HELP a A.\na +Inf\na -Inf\na NaN\na 1e+21\n",
    "# TYPE a gauge\n# HELP a A.\na +Inf\na -Inf\na NaN\na 1e+21\n",
  ],
  [
    "a family without samples",
    { name: "a", type: "counter", help: "A.", samples: [] },
    "# TYPE a counter\n# HELP a A.\n",
    "# TYPE a_total counter\n# HELP a_total A.\n",
  ],
];

describe("writeMetrics() writes", () => {
  test.each(rows)("%s", (_what, family, open, plain) => {
    expect(writeMetrics([family], "openMetrics")).toBe(`${open}# EOF\n`);
    expect(writeMetrics([family], "prometheus")).toBe(plain);
  });

  test("families one behind the other", () => {
    expect(writeMetrics([], "openMetrics")).toBe("# EOF\n");
    expect(writeMetrics([], "prometheus")).toBe("");
    const twice = writeMetrics([counter, counter], "prometheus");
    expect(twice).toBe(writeMetrics([counter], "prometheus").repeat(2));
  });
});

describe("wantedFormat()", () => {
  const prometheus3 =
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
  const accepted: readonly (readonly [accept: string | null, format: Format])[] = [
    [null, "openMetrics"],
    ["", "openMetrics"],
    ["*/*", "openMetrics"],
    [prometheus3, "openMetrics"],
    ["text/plain;version=0.0.4;q=1,*/*;q=0.1", "prometheus"],
    ["text/plain", "prometheus"],
    ["Text/Plain", "prometheus"],
    ["text/*, application/openmetrics-text;q=0.5", "prometheus"],
    ["text/plain;q=0.5, application/openmetrics-text; q=0.9", "openMetrics"],
    ["text/plain, application/openmetrics-text", "openMetrics"],
    ["text/plain;q=0", "openMetrics"],
    ["text/plain;q=x", "openMetrics"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "openMetrics"],
    [",,;;q=,", "openMetrics"],
  ];
  test.each(accepted)("of %p is %s", (accept, format) => {
    expect(wantedFormat(accept)).toBe(format);
  });
});

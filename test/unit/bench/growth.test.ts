/** What `bench growth` makes of its figures. */
import { describe, expect, test } from "bun:test";
import { plainTraffic, requestFields } from "../../../bench/drivers/driver.ts";
import { BenchError } from "../../../bench/errors.ts";
import type { Curve, Sample } from "../../../bench/growth/curve.ts";
import { curves } from "../../../bench/growth/curves.ts";
import {
  further,
  type Grown,
  panelsOf,
  renderGrown,
  seriesOf,
} from "../../../bench/growth/report.ts";
import { checkDescriptors, descriptorLimit } from "../../../bench/idle-connections.ts";

const curve: Curve = {
  name: "sizes",
  title: "Sizes",
  description: "bodies of such a size",
  xName: "size",
  xs: [1, 3],
  scale: "log",
  showX: (x) => `${x} KiB`,
  quantities: [
    { name: "CPU per request", unit: "us", column: "us CPU/request", better: "less" },
    {
      name: "memory of the master",
      unit: "MiB",
      column: "master, MiB",
      better: "less",
      oursOnly: true,
    },
  ],
  each: { name: "ns for each further KiB", per: 1, factor: 1000 },
  why: "It grows since it is longer.",
  measure: () => Promise.reject(new Error("not measured here")),
};

function samples(...values: (number | null)[]): Sample[] {
  return values.map((value) => ({ values: [value, 9], errors: 0, othersBusy: 0 }));
}

const grown: Grown = {
  curve,
  visited: [
    { x: 1, ours: samples(10, 12, 11), bare: samples(20, 22, 24) },
    { x: 3, ours: samples(31, 30, null), bare: samples(44, 44, 44) },
  ],
};

test("renderGrown(): medians of both sides, their ratio, what each unit more costs, and why", () => {
  expect(renderGrown(grown)).toBe(`Bodies of such a size.

| size  | us CPU/request | Bun.serve | beside it | master, MiB | ns for each further KiB | Bun.serve |
| ----- | -------------- | --------- | --------- | ----------- | ----------------------- | --------- |
| 1 KiB | 11.0           | 22.0      | 0.50      | 9.00        | -                       | -         |
| 3 KiB | 30.5           | 44.0      | 0.69      | 9.00        | 9750                    | 11000     |

It grows since it is longer.
`);
});

const doubts: [what: string, sample: Partial<Sample>, sentence: string][] = [
  ["failed requests", { errors: 2 }, "2 requests failed, or connections were ended."],
  ["other programs", { othersBusy: 0.5 }, "Other programs used 0.50 CPUs meanwhile"],
];
test.each(doubts)("renderGrown() tells of %s", (_what, sample, sentence) => {
  const one = { values: [1, 1], errors: 0, othersBusy: 0, ...sample };
  const visited = [{ x: 1, ours: [one], bare: [{ ...one, errors: 0 }] }];
  expect(renderGrown({ curve, visited })).toContain(sentence);
});

test("further() knows nothing of the first value, nor of what wasn't told", () => {
  const [first, second] = grown.visited;
  const silent = { x: 3, ours: samples(null), bare: samples(null) };
  expect(further(curve, undefined, first!, "ours")).toBeNull();
  expect(further(curve, first, silent, "ours")).toBeNull();
  expect(further({}, first, second!, "ours")).toBeNull();
});

test("panelsOf(): a panel for each quantity, with its spread, and Bun.serve where it has it", () => {
  const [cpu, master, ...rest] = panelsOf(grown);
  expect(rest).toEqual([]);
  expect(cpu?.points[0]).toEqual({ x: 1, y: 11, low: 10, high: 12 });
  expect(cpu?.beside?.points).toHaveLength(2);
  expect(cpu?.xTicks).toContainEqual({ x: 3, label: "3 KiB" });
  expect(master?.beside).toBeUndefined();
});

test("seriesOf(): under names that stay the same", () => {
  expect(seriesOf(grown).map(({ name, values }) => [name, values.length])).toEqual([
    ["sizes 1 KiB, gunicorn-ts: CPU per request", 3],
    ["sizes 1 KiB, Bun.serve: CPU per request", 3],
    ["sizes 1 KiB, gunicorn-ts: memory of the master", 3],
    ["sizes 3 KiB, gunicorn-ts: CPU per request", 2],
    ["sizes 3 KiB, Bun.serve: CPU per request", 3],
    ["sizes 3 KiB, gunicorn-ts: memory of the master", 3],
  ]);
});

test("every curve has a name and values of its own, and says why it is as it is", () => {
  expect(new Set(curves.map(({ name }) => name)).size).toBe(curves.length);
  for (const { xs, why } of curves) {
    expect(xs).toEqual([...new Set(xs)].sort((a, b) => a - b));
    expect(why).toMatch(/^[A-Z].{20,}\.$/);
  }
});

test("docs/benchmarks.md has a place for every curve", async () => {
  const page = await Bun.file(new URL("../../../docs/benchmarks.md", import.meta.url)).text();
  for (const { name } of curves) expect(page).toContain(`<!-- bench growth ${name}: begin -->`);
});

describe("descriptors", () => {
  const limits: [text: string, limit: number][] = [
    ["Max open files            20000                30000                files     \n", 20_000],
    [
      "Max processes  1  2\nMax open files            unlimited            unlimited            files\n",
      Number.POSITIVE_INFINITY,
    ],
  ];
  test.each(limits)("descriptorLimit(%j)", (text, limit) => {
    expect(descriptorLimit(text)).toBe(limit);
  });

  test("checkDescriptors() refuses in a sentence", () => {
    expect(() => checkDescriptors(1e9)).toThrow(BenchError);
    expect(() => checkDescriptors(1e9)).toThrow(
      /^1000000000 idle connections need 1000000300 open descriptors, the limit is \d+: raise `ulimit -Hn`$/,
    );
  });
});

test.each([1, 10, 100])("requestFields(): %d fields, Host among them", (fields) => {
  const sent = requestFields({ ...plainTraffic, fields });
  expect(sent).toHaveLength(fields);
  expect(new Set(sent.map((field) => field.split(":")[0])).size).toBe(fields);
  expect(sent[0]).toStartWith("Host:");
});

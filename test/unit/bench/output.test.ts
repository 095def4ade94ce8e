/** What the bench writes: charts, tables, progress. */
import { describe, expect, test } from "bun:test";
import { renderBars } from "../../../bench/charts/bars.ts";
import { axisOf, ticks } from "../../../bench/charts/axis.ts";
import { type Panel, renderSvg } from "../../../bench/charts/svg.ts";
import { Progress } from "../../../bench/progress.ts";
import { renderColumns, renderMarkdown, showMs, showNumber } from "../../../bench/tables.ts";

describe("renderSvg()", () => {
  const panel: Panel = {
    title: `a < b & "c"`,
    xLabel: "workers",
    yLabel: "req/s",
    points: [
      { x: 1, y: 100, low: 90, high: 110 },
      { x: 2, y: 200 },
    ],
    marks: [{ x: 5, label: "2n+1" }],
  };

  /** Throws for tags that don't match. */
  function wellFormed(svg: string): number {
    const open: string[] = [];
    let tags = 0;
    for (const [, close, name, , empty] of svg.matchAll(
      /<(\/)?([\w]+)((?:\s[\w-]+="[^"<]*")*)\s*(\/)?>/g,
    )) {
      tags += 1;
      if (close !== undefined) expect(open.pop()).toBe(name);
      else if (empty === undefined) open.push(name as string);
    }
    expect(open).toEqual([]);
    // Each `<` belongs to a tag that was understood, or to the declaration.
    expect(svg.split("<").length - 1).toBe(tags + 1);
    expect(svg.replace(/&#\d+;/g, "")).not.toContain("&");
    return tags;
  }

  test("is well-formed, with the guideline marked and texts escaped", () => {
    const svg = renderSvg("How many?", "2 x CPU", [panel, panel, panel]);
    expect(wellFormed(svg)).toBeGreaterThan(40);
    expect(svg).toContain(">2n+1</text>");
    expect(svg).toContain("a &#60; b &#38; &#34;c&#34;");
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test.each([
    ["no panel", []],
    ["a panel without points", [{ ...panel, points: [], marks: [] }]],
    ["one point at zero", [{ ...panel, points: [{ x: 0, y: 0 }], marks: [] }]],
    ["logarithms of no point", [{ ...panel, points: [], marks: [], scale: "log" as const }]],
    [
      "logarithms of one",
      [{ ...panel, points: [{ x: 1, y: 1 }], marks: [], scale: "log" as const }],
    ],
  ])("copes with %s", (_what, panels) => {
    const svg = renderSvg("t", "s", panels);
    wellFormed(svg);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test("has a second line with both names, and places of its own for the texts of the axis", () => {
    const points = [
      { x: 1024, y: 10 },
      { x: 1_048_576, y: 10_000 },
    ];
    const beside = {
      own: "ours",
      other: "theirs",
      points: points.map(({ x, y }) => ({ x, y: 2 * y })),
    };
    const xTicks = [{ x: 1024, label: "1 KiB" }];
    const svg = renderSvg("t", "s", [
      { ...panel, points, marks: [], beside, xTicks, scale: "log" },
    ]);
    wellFormed(svg);
    expect(svg.match(/<polyline/g)).toHaveLength(2);
    for (const word of ["ours", "theirs", "1 KiB", "100k"])
      expect(svg).toContain(`>${word}</text>`);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test("a logarithmic axis goes from power to power of ten", () => {
    const axis = axisOf("log", [20, 3000], [0, 300]);
    expect(axis.ticks).toEqual([10, 100, 1000, 10_000]);
    expect([10, 100, 10_000].map((value) => Math.round(axis.at(value)))).toEqual([0, 100, 300]);
  });

  const axes: [from: number, to: number, values: number[]][] = [
    [0, 5, [0, 1, 2, 3, 4, 5]],
    [0, 90_000, [0, 20_000, 40_000, 60_000, 80_000]],
    [0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  ];
  test.each(axes)("ticks(%d, %d)", (from, to, values) => {
    expect(ticks(from, to)).toEqual(values);
  });
});

test("renderBars() is as long as the value", () => {
  const bars = [
    { label: "1", value: 50, note: "" },
    { label: "10", value: 100, note: "<- best" },
  ];
  expect(renderBars(bars, 4)).toBe(" 1 ██\n10 ████ <- best\n");
  expect(renderBars([{ label: "1", value: 0, note: "" }], 4)).toBe("1\n");
});

test("tables are in columns", () => {
  const rows = [
    ["name", "n"],
    ["a", "10"],
  ];
  expect(renderColumns(rows)).toBe("name  n\na     10\n");
  expect(renderMarkdown(rows)).toBe("| name | n   |\n| ---- | --- |\n| a    | 10  |\n");
});

test("numbers have three digits at least, and a latency that nobody knows is a dash", () => {
  expect([0.1234, 12.34, 1234.5].map(showNumber)).toEqual(["0.123", "12.3", "1235"]);
  expect([1500, 0].map(showMs)).toEqual(["1.50", "-"]);
});

const lefts: [totalSeconds: number, passedSeconds: number, left: string][] = [
  [60, 0, "60 s left"],
  [60, 59.5, "1 s left"],
  [600, 60, "9 min left"],
  [60, 61, "nearly done"],
];
test.each(lefts)("Progress: of %d s %d have passed", (totalSeconds, passedSeconds, left) => {
  expect(new Progress(totalSeconds, 5000).left(5000 + passedSeconds * 1000)).toBe(left);
});

import { expect, test } from "bun:test";
import type { Figure } from "../../../bench/ratio/figure.ts";
import type { RatioLoad } from "../../../bench/ratio/loads.ts";
import { type Pair, runPairs, summarise } from "../../../bench/ratio/pairs.ts";
import { renderTable } from "../../../bench/ratio/report.ts";
import type { Side } from "../../../bench/ratio/sides.ts";

const load: RatioLoad = {
  name: "hello",
  description: "",
  unit: "us CPU/request",
  comparison: "ratio",
  target: 1,
  measure: () => Promise.reject(new Error("not to be called")),
};

function figure(value: number, errors = 0): Figure {
  return { value, requestsPerSecond: 1000 * value, errors, driverBusy: 0.5 };
}

function pair(ours: number, bare: number): Pair {
  return { ours: figure(ours), bare: figure(bare) };
}

test("summarise() compares within each pair, not across", () => {
  // The machine was three times slower during the second pair.
  const pairs = [pair(5, 10), pair(18, 30), pair(7, 10)];
  const { compared, met } = summarise({ load, pairs });
  expect(compared).toEqual({ median: 0.6, min: 0.5, max: 0.7 });
  expect(met).toBe(true);
});

test("summarise() takes differences where the load asks for them", () => {
  const difference: RatioLoad = { ...load, comparison: "difference", target: 60 };
  const { compared, met } = summarise({ load: difference, pairs: [pair(70, 9), pair(72, 8)] });
  expect(compared).toEqual({ median: 62.5, min: 61, max: 64 });
  expect(met).toBe(false);
});

test("summarise() adds up the errors of both sides", () => {
  const pairs = [{ ours: figure(1, 2), bare: figure(1, 3) }, pair(1, 1)];
  expect(summarise({ load, pairs }).errors).toBe(5);
});

test("runPairs() alternates the sides", async () => {
  const turns: Side[] = [];
  const counting: RatioLoad = {
    ...load,
    measure: (side) => {
      turns.push(side);
      return Promise.resolve(figure(turns.length));
    },
  };
  const pairs: Pair[] = [];
  await runPairs(counting, { pairs: 2, seconds: 1, other: "bare" }, pairs, () => {});
  expect(turns).toEqual(["gunicorn-ts", "bare", "gunicorn-ts", "bare"]);
  expect(pairs).toEqual([pair(1, 2), pair(3, 4)]);
});

test("renderTable() shows figures, target, rates and errors", () => {
  const table = renderTable([{ load, pairs: [{ ours: figure(12.3, 4), bare: figure(10) }] }]);
  expect(table.split("\n")[1]).toBe(
    "hello  12.3 us CPU/request  10.0       1.23 (1.23 .. 1.23)  <= 1.00  NOT MET  12300 : 10000  4",
  );
});

test("renderTable() marks rates that the load generator bounds", () => {
  const bound = { ...figure(2), driverBusy: 0.99 };
  expect(renderTable([{ load, pairs: [{ ours: bound, bare: figure(2) }] }])).toContain(
    "2000* : 2000",
  );
});

test("renderTable() beside another checkout: its name, and no target", () => {
  const pairs = [{ ours: figure(12), bare: figure(10) }];
  const [head, row] = renderTable([{ load, pairs }], { checkout: "/old" }).split("\n");
  expect(head).toContain("gunicorn-ts          /old");
  expect(row).toBe(
    "hello  12.0 us CPU/request  10.0  1.20 (1.20 .. 1.20)  -         12000 : 10000  0",
  );
});

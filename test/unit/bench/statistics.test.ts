import { expect, test } from "bun:test";
import { fitLine, medianOf, noiseOf, spreadOf } from "../../../bench/statistics.ts";

const spreads: [values: number[], median: number, min: number, max: number][] = [
  [[3], 3, 3, 3],
  [[1, 2], 1.5, 1, 2],
  [[5, 1, 3], 3, 1, 5],
  [[10, 9, 8, 1], 8.5, 1, 10],
];
test.each(spreads)("spreadOf() of %p", (values, median, min, max) => {
  expect(spreadOf(values)).toEqual({ median, min, max });
  expect(medianOf(values)).toBe(median);
});

test("spreadOf() refuses no values", () => {
  expect(() => spreadOf([])).toThrow(RangeError);
});

test("noiseOf(): nothing is known from one value, and equal ones have none", () => {
  expect(noiseOf([5])).toBe(Number.POSITIVE_INFINITY);
  expect(noiseOf([5, 5, 5])).toBe(0);
});

test("noiseOf() covers the true median of normally spread values in nine runs of ten at least", () => {
  // Box and Muller, from a fixed sequence, so that this can't fail by chance.
  let seed = 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  for (const size of [4, 5, 8]) {
    let covered = 0;
    for (let run = 0; run < 2000; run++) {
      const values = Array.from({ length: size }, () => 100 + 10 * normal());
      if (Math.abs(medianOf(values) - 100) <= noiseOf(values)) covered += 1;
    }
    expect(covered / 2000).toBeGreaterThan(0.9);
    expect(covered / 2000).toBeLessThan(0.995);
  }
});

test("fitLine() finds slope and noise", () => {
  const exact = fitLine([
    [0, 1],
    [1, 3],
    [2, 5],
  ]);
  expect(exact.slope).toBeCloseTo(2);
  expect(exact.noise).toBeCloseTo(0);
  const flat = fitLine([
    [0, 1],
    [1, -1],
    [2, 1],
    [3, -1],
  ]);
  expect(Math.abs(flat.slope)).toBeLessThan(flat.noise);
  const two = fitLine([
    [0, 0],
    [2, 1],
  ]);
  expect(two).toEqual({ slope: 0.5, noise: Number.POSITIVE_INFINITY });
  expect(() => fitLine([[1, 1]])).toThrow(RangeError);
});

import { expect, test } from "bun:test";
import { derivedBytes } from "../../../bench/soak/derived.ts";
import { faultsOf, type MixedSoak } from "../../../bench/soak/mixed.ts";

test("derivedBytes() differ by seed and by place, and start alike for each size", () => {
  const bytes = derivedBytes(200_000, 3);
  expect(bytes.subarray(0, 1000)).toEqual(derivedBytes(1000, 3));
  expect(bytes.subarray(0, 1000)).not.toEqual(derivedBytes(1000, 4));
  for (const away of [1, 4096, 16_384, 65_536, 131_072]) {
    expect(bytes.subarray(away, away + 1000)).not.toEqual(bytes.subarray(0, 1000));
  }
});

const mebibyte = 2 ** 20;
const good: MixedSoak = {
  seen: { done: { slow: 1 }, faults: [], faultCount: 0 },
  before: { master: 12, worker: 9 },
  after: { master: 12, worker: 9 },
  hups: 10,
  slope: { slope: 30, noise: 40 },
  samples: [
    { seconds: 0, bytes: 100 * mebibyte },
    { seconds: 600, bytes: 100 * mebibyte },
  ],
};

test.each([
  ["nothing", {}, []],
  ["fewer descriptors", { after: { master: 11, worker: 9 } }, []],
  ["too short a run", { slope: null }, []],
  [
    "a wrong byte",
    { seen: { done: {}, faults: ["slow: wrong bytes at 5 of 9"], faultCount: 1 } },
    ["1 exchanges went wrong: slow: wrong bytes at 5 of 9"],
  ],
  [
    "a worker's descriptor",
    { after: { master: 12, worker: 10 } },
    ["a worker has 10 descriptors open, 9 at the start"],
  ],
  [
    "memory",
    { slope: { slope: 160, noise: 40 } },
    ["memory grows, by 20 MiB at least in this run"],
  ],
] as const)("faultsOf() with %s", (_claim, change, faults) => {
  expect(faultsOf({ ...good, ...(change as Partial<MixedSoak>) })).toEqual([...faults]);
});

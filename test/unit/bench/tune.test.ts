import { describe, expect, test } from "bun:test";
import { noErrors } from "../../../bench/drivers/driver.ts";
import type { Measured } from "../../../bench/measure.ts";
import { guideline, judgeGuideline, recommend, type Step } from "../../../bench/tune/recommend.ts";
import { panelsOf, renderTuned, seriesOf } from "../../../bench/tune/report.ts";
import {
  affordableSweeps,
  ladder,
  levelled,
  shortestVisit,
  thinOut,
  turnLengths,
} from "../../../bench/tune/sweep.ts";
import { badCount, countsToVerify, renderVerified, verify } from "../../../bench/tune/verify.ts";

function visit(requestsPerSecond: number, p99Ms: number): Measured {
  return {
    requests: requestsPerSecond,
    requestsPerSecond,
    durationUs: 1_000_000,
    p50Us: p99Ms * 500,
    p99Us: p99Ms * 1000,
    errors: noErrors,
    driverBusy: 0.5,
    generatorCpuUs: 100_000,
    cpuUsPerRequest: 10,
    cpusUsed: 1,
    residentBytes: 2 ** 26,
    othersBusy: 0,
  };
}

function step(workers: number, rates: readonly number[], p99Ms: readonly number[]): Step {
  return { workers, visits: rates.map((rate, index) => visit(rate, p99Ms[index] ?? p99Ms[0]!)) };
}

const recommendations: [what: string, steps: Step[], workers: number][] = [
  ["the only one", [step(1, [100], [5])], 1],
  [
    "the best, when all smaller ones are worse",
    [step(1, [50, 50, 50], [9]), step(2, [100, 100, 100], [5]), step(3, [80, 80, 80], [5])],
    2,
  ],
  ["the smallest within 3 %", [step(1, [97.5, 97.5, 97.5], [5]), step(2, [100, 100, 100], [5])], 1],
  ["not one that is 4 % below", [step(1, [96, 96, 96], [5]), step(2, [100, 100, 100], [5])], 2],
  [
    "one below by less than its noise",
    [step(1, [90, 96, 102, 93], [5]), step(2, [100, 100, 100, 100], [5])],
    1,
  ],
  [
    "but noise excuses 10 % at most",
    [step(1, [40, 80, 120, 60], [5]), step(2, [100, 100, 100, 100], [5])],
    2,
  ],
  [
    "not one whose p99 is worse by more than a quarter",
    [step(1, [99, 99, 99], [6.3]), step(2, [100, 100, 100], [5])],
    2,
  ],
  [
    "one whose p99 is worse by a quarter",
    [step(1, [99, 99, 99], [6.25]), step(2, [100, 100, 100], [5])],
    1,
  ],
  [
    "whatever the p99 of those that answer much less",
    [step(1, [50, 50, 50], [1]), step(2, [100, 100, 100], [5])],
    2,
  ],
  ["the smallest, when the generator can't tell p99", [step(1, [99], [0]), step(2, [100], [0])], 1],
  [
    "by sweeps: the machine was at half speed in the second",
    [step(1, [90, 45, 90], [5]), step(2, [100, 50, 100], [5])],
    2,
  ],
];
const failing = { ...noErrors, status: 3 };
const withFailures = (given: Step): Step => ({
  ...given,
  visits: given.visits.map((each) => ({ ...each, errors: failing })),
});
recommendations.push(
  [
    "not one of which more than 1 % failed",
    [withFailures(step(1, [100, 100], [1])), step(2, [50, 50], [5])],
    2,
  ],
  [
    "noise of p99 excuses 10 % at most",
    [step(1, [100, 100, 100], [4, 7, 13]), step(2, [100, 100, 100], [5])],
    2,
  ],
  ["of one visit each, noise excuses nothing", [step(1, [96], [5]), step(2, [100], [5])], 2],
  ["nor p99", [step(1, [100], [6.5]), step(2, [100], [5])], 2],
  [
    "a p99 that the generator can't tell speaks for nobody",
    [step(1, [50, 50], [1]), step(2, [100, 100], [0]), step(3, [100, 100], [5])],
    2,
  ],
);
test("recommend() says when failures are everywhere, and when more may be better", () => {
  const bad = recommend([withFailures(step(1, [100], [5])), withFailures(step(2, [100], [5]))]);
  expect([bad.doubtful, bad.open]).toEqual([true, false]);
  const rising = recommend([step(1, [50, 50], [5]), step(2, [100, 100], [5])]);
  expect([rising.doubtful, rising.open]).toEqual([false, true]);
  expect(recommend([step(1, [99, 99], [5]), step(2, [100, 100], [5])]).open).toBe(false);
  expect(recommend([step(1, [100, 100], [5])]).open).toBe(false);
});

test.each(recommendations)("recommend(): %s", (_what, steps, workers) => {
  const advice = recommend(steps);
  expect(advice.workers).toBe(workers);
  const chosen = advice.judged.filter(({ verdict }) => verdict === "recommended");
  expect(chosen.map((each) => each.workers)).toEqual([workers]);
});

test("recommend() refuses nothing", () => {
  expect(() => recommend([])).toThrow(RangeError);
  expect(() => recommend([{ workers: 1, visits: [] }])).toThrow(RangeError);
});

const one = step(1, [100, 100], [5]);
const guidelines: [what: string, steps: Step[], cpus: number, part: string][] = [
  [
    "it is the recommendation",
    [step(1, [50, 50], [5]), step(3, [100, 100], [5])],
    1,
    "is right here",
  ],
  ["it wasn't measured", [one], 2, "2 x 2 + 1 = 5, wasn't measured in this run: 1 worker is"],
  [
    "it is more than needed",
    [one, step(5, [100, 100], [5])],
    2,
    "is more than is needed here: 1 worker does",
  ],
  [
    "it answers less",
    [one, step(5, [80, 80], [5])],
    2,
    "is wrong here: it answers 20 % fewer requests",
  ],
  ["it is slower", [one, step(5, [99, 99], [9])], 2, "take more than 1.25 times as long"],
  [
    "more are better",
    [step(3, [50, 50], [5]), step(4, [100, 100], [5])],
    1,
    "keeps more of them busy",
  ],
];
test.each(guidelines)("judgeGuideline(): %s", (_what, steps, cpus, part) => {
  expect(judgeGuideline(recommend(steps), cpus)).toContain(part);
});

const ladders: [cpus: number, counts: number[]][] = [
  [1, [1, 2, 3, 4]],
  [2, [1, 2, 3, 4, 5, 6]],
  [4, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
  [16, [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 16, 18, 22, 27, 33, 34]],
];
test.each(ladders)("ladder() of %d CPUs goes past the guideline", (cpus, counts) => {
  expect(ladder(cpus)).toEqual(counts);
  expect(counts).toContain(guideline(cpus));
});

const levels: [rates: number[], level: boolean][] = [
  [[100], false],
  [[100, 100], false],
  [[100, 102, 101], true],
  [[100, 104, 101], false],
  [[100, 90, 110], false],
  [[100, 200, 201, 199], true],
];
test.each(levels)("levelled(%p) is %p", (rates, level) => {
  expect(levelled(rates)).toBe(level);
});

test("turnLengths() keeps to the budget, within reason", () => {
  const { turnSeconds, warmUpSeconds } = turnLengths(20, 33);
  expect(20 * (turnSeconds + warmUpSeconds)).toBeLessThan(33);
  expect(turnSeconds).toBeGreaterThan(0.9);
  expect(turnLengths(1000, 10).turnSeconds).toBe(0.4);
  expect(turnLengths(1, 1000).turnSeconds).toBe(3);
});

test("turnLengths() are longer than the slowest request takes", () => {
  const { turnSeconds, warmUpSeconds } = turnLengths(20, 10, 4);
  expect([turnSeconds, warmUpSeconds]).toEqual([8, 4]);
});

const bounds: [cpus: number, latency: number][] = [
  [2, 0.05],
  [8, 0.05],
  [32, 0.05],
  [32, 1],
  [128, 0.05],
];
test.each(bounds)("a load keeps to 33 s on %d CPUs with requests of %d s", (cpus, latency) => {
  const shortest = shortestVisit(latency);
  const counts = thinOut(ladder(cpus), 33, shortest, [cpus, guideline(cpus)]);
  const sweeps = affordableSweeps(counts.length, 33, shortest, 4);
  expect(sweeps).toBeGreaterThan(0);
  const { turnSeconds, warmUpSeconds } = turnLengths(counts.length * sweeps, 33, latency);
  expect(sweeps * counts.length * (turnSeconds + warmUpSeconds + 0.3)).toBeLessThan(33.1);
  for (const count of [1, cpus, guideline(cpus)]) expect(counts).toContain(count);
});

test("thinOut() leaves out none of those to keep", () => {
  const counts = [1, 2, 3, 4];
  expect(thinOut(counts, 1, 1, counts)).toEqual(counts);
  expect(thinOut(counts, 2, 1, [])).toEqual([1, 3]);
});

describe("verify()", () => {
  const steps = [
    step(1, [50, 51, 49, 50], [9]),
    step(2, [100, 102, 98, 100], [5]),
    step(3, [98, 103, 99, 100], [5]),
    step(16, [97, 99, 97, 97], [20]),
  ];

  test("says what is measurably worse, by requests or by p99", () => {
    const rows = verify(steps, 2).map(({ workers, worse, better }) => [workers, worse, better]);
    expect(rows).toEqual([
      [1, true, false],
      [3, false, false],
      [16, true, false],
    ]);
    const text = renderVerified(verify(steps, 2), 2, 16);
    expect(text).toContain("16 beside 2: measurably worse, the deliberately bad count");
    expect(text).toContain("3 beside 2: not measurably worse");
    expect(text).toEndWith("Verified: nothing beside 2 is measurably better.\n");
  });

  test("says when another count is better", () => {
    const text = renderVerified(verify(steps, 1), 1, 16);
    expect(text).toContain("2 beside 1: measurably better");
    expect(text).toContain("Not verified: measurably better is 2, 3");
  });

  test("says nothing of one turn, nor of latencies that nobody knows", () => {
    const text = renderVerified(verify([step(1, [9], [0]), step(2, [9], [0])], 1), 1, 16);
    expect(text).toBe(
      "2 beside 1: one turn can't tell (requests x 1.00, p99 -, memory x 1.00)\nNot verified: one turn of each can't tell.\n",
    );
  });

  test("wants the recommended count", () => {
    expect(() => verify(steps, 7)).toThrow(RangeError);
  });

  test("badCount() is 16 on two CPUs, and more where 16 may be right", () => {
    expect(badCount({ badWorkers: "too many" }, 2)).toBe(16);
    expect(badCount({ badWorkers: "too many" }, 32)).toBe(256);
    expect(badCount({ badWorkers: "one" }, 32)).toBe(1);
  });

  const counts: [recommended: number, bad: number, wanted: number[]][] = [
    [1, 16, [1, 2, 16]],
    [2, 1, [1, 2, 3]],
    [3, 16, [2, 3, 4, 16]],
  ];
  test.each(counts)("countsToVerify(%d, %d)", (recommended, bad, wanted) => {
    expect(countsToVerify(recommended, bad)).toEqual(wanted);
  });
});

describe("the report", () => {
  const steps = [step(5, [80, 80], [5]), step(1, [100, 100], [5])];

  test("has a row and a bar for each count, in order, and the sentences", () => {
    const text = renderTuned({ name: "hello", steps }, 2);
    expect(text).toMatch(/^1 +100 +100 % .* recommended$/m);
    expect(text).toMatch(/^5 +80 +80 % .* fewer requests$/m);
    expect(text).toMatch(/^1 █{40} <- recommended\n5 █{32} +<- guideline 2n\+1$/m);
    expect(text).toContain("Recommended for hello: --workers 1.");
  });

  const doubts: [what: string, changed: Partial<Measured>, sentence: string | null][] = [
    ["nothing", {}, null],
    [
      "a saturated generator",
      { driverBusy: 0.97 },
      "The load generator was at its own limit in 2 of 2 turns",
    ],
    ["a greedy generator", { generatorCpuUs: 900_000 }, "took 0.90 of the 2 CPUs"],
    ["others", { othersBusy: 0.5 }, "Other programs used 0.50 CPUs meanwhile"],
    ["errors", { errors: { ...noErrors, read: 2 } }, "Requests that failed: 4 (read 4)."],
  ];
  test.each(doubts)("says what makes it doubtful: %s", (_what, changed, sentence) => {
    const visits = [visit(100, 5), visit(100, 5)].map((each) => ({ ...each, ...changed }));
    const text = renderTuned({ name: "hello", steps: [{ workers: 1, visits }] }, 2);
    if (sentence === null) expect(text).toEndWith("1 worker is recommended.\n");
    else expect(text).toContain(sentence);
  });

  test("says that more may be better, what wasn't considered, and shows no CPU time that it doesn't know", () => {
    const rising = [step(1, [50, 50], [5]), step(2, [100, 100], [5])];
    expect(renderTuned({ name: "hello", steps: rising }, 2)).toContain("More may be better still");
    const failed = renderTuned({ name: "hello", steps: rising.map(withFailures) }, 2);
    expect(failed).toContain("No number of workers can be recommended for hello");
    expect(failed).not.toMatch(/recommended$|guideline,/m);
    const one = renderTuned({ name: "x", steps: [rising[0]!, withFailures(rising[1]!)] }, 2);
    expect(one).toContain("more than 1 % of the requests failed: 2 workers.");
    const visits = [{ ...visit(100, 5), cpuUsPerRequest: null, cpusUsed: null }];
    const unknown = renderTuned({ name: "x", steps: [{ workers: 1, visits }] }, 2);
    expect(unknown).toMatch(/^1 +100 +100 % +2\.50 +5\.00 +- +- +64 +0 +recommended$/m);
  });

  test("has series by name and panels with the guideline marked", () => {
    expect(seriesOf({ name: "hello", steps }).map(({ name }) => name)).toEqual([
      "hello, 1 workers: requests",
      "hello, 1 workers: p99",
      "hello, 1 workers: failed",
      "hello, 5 workers: requests",
      "hello, 5 workers: p99",
      "hello, 5 workers: failed",
    ]);
    const [throughput] = panelsOf({ name: "hello", steps }, 2);
    expect(throughput?.marks).toEqual([
      { x: 5, label: "2n+1" },
      { x: 1, label: "recommended" },
    ]);
  });
});

import { expect, test } from "bun:test";
import { render } from "../../../../src/cli/ctl/tune.ts";
import { advise } from "../../../../src/scaling/advise.ts";
import type { Figures } from "../../../../src/scaling/measure.ts";

const figures: Figures = {
  seconds: 60,
  workers: 2,
  cpus: 4,
  busyCpus: 1.8,
  shares: [
    { slot: 0, share: 0.91 },
    { slot: 1, share: 0.89 },
  ],
  idleCpus: 2.1,
  standstill: 0.03,
  longest: { slot: 1, ms: 41 },
  hanging: null,
  inFlight: 6.2,
  connections: 64,
  backlog: 0,
  requestsPerSecond: 1520.4,
  workerBytes: 62 * 1024 ** 2,
  freeBytes: 3.1 * 1024 ** 3,
  bounds: { turns: null, connections: 1000 },
};

const head = `Watched:     60 s
Load:        1520 requests/s, 6.2 in flight, 64 connections, 0 wait to be accepted
CPUs:        1.8 of 4 busy with workers: slot 0 91 %, slot 1 89 %
Event loops: stood still 3 % of the time, 41 ms at most
Memory:      62 MiB a worker, 3.1 GiB free
Workers:     2
Guideline:   9, 2 x CPUs + 1, is for workers that stand still while they wait
`;

test("render() has the figures, the advice, and what it would do", () => {
  expect(render(figures, advise(figures), { previous: 2, total: 3 })).toBe(`${head}\
Advice:      3 workers: the workers use 90 % of a CPU each, 1.8 of 4: requests wait for the event loop, which can't use more than one; look again with 3, as full workers hide how much comes
Latency:     about 15 ms on average, about 5.9 ms with 3
Applied:     2 -> 3 workers
`);
});

const rows: [what: string, change: Partial<Figures>, text: RegExp][] = [
  [
    "turns",
    { busyCpus: 0.2, shares: [], inFlight: 2, bounds: { turns: 1, connections: 1000 } },
    /\nAdvice: +3 workers: 2 requests .*\nLatency: +3 workers do 1.5 times as much at a time/,
  ],
  [
    "a good number",
    { busyCpus: 1.2 },
    /\nAdvice: +2, as it is: .*\nLatency: +about \d[\d.]* ms on average\n$/,
  ],
  ["a full machine", { busyCpus: 3.9, workers: 4 }, /\nLatency: +more than \d+ ms on average\n$/],
  ["no load", { busyCpus: 0, inFlight: 0 }, /\nAdvice: +not enough load to tell: .*\n$/],
  ["a hanging worker", { hanging: { slot: 1, ms: 6000 } }, /\nAdvice: +none: .* slot 1 .*\n$/],
];
test.each(rows)("render() of %s", (_what, change, text) => {
  const all = { ...figures, ...change };
  expect(render(all, advise(all), null)).toMatch(text);
});

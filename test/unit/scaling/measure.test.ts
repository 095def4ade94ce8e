import { describe, expect, test } from "bun:test";
import { decodeLoad, encodeLoad } from "../../../src/scaling/load-answer.ts";
import { latencyWith } from "../../../src/scaling/latency.ts";
import type { LoadSample, WorkerLoad } from "../../../src/scaling/load-sample.ts";
import { type Figures, measure } from "../../../src/scaling/measure.ts";

function worker(age: number, change: Partial<WorkerLoad> = {}): WorkerLoad {
  return {
    age,
    slot: age - 1,
    cpuSeconds: 0,
    loopDelayMs: 0,
    beatMs: 100,
    inFlight: 0,
    connections: 0,
    requests: 0,
    memoryBytes: 1000,
    ...change,
  };
}

function sample(atMs: number, workers: readonly WorkerLoad[], idleSeconds: number | null = 0) {
  return {
    atMs,
    wanted: workers.length,
    workers,
    backlog: 2,
    machine: { cpus: 2, idleSeconds, freeBytes: 5000 },
    bounds: { turns: null, connections: 1000 },
  } satisfies LoadSample;
}

describe("measure()", () => {
  test("averages over the time, by slot", () => {
    const figures = measure([
      sample(0, [worker(1, { cpuSeconds: 5 }), worker(2, { cpuSeconds: 1, inFlight: 4 })], 7),
      sample(1000, [worker(1, { cpuSeconds: 5.5 }), worker(2, { cpuSeconds: 1, inFlight: 2 })], 8),
      sample(
        2000,
        [
          worker(1, { cpuSeconds: 6.8, requests: 30 }),
          worker(2, { cpuSeconds: 1.2, memoryBytes: 3000 }),
        ],
        8.5,
      ),
    ]);
    expect(figures).toMatchObject({
      seconds: 2,
      workers: 2,
      cpus: 2,
      busyCpus: expect.closeTo(1),
      shares: [
        { slot: 0, share: expect.closeTo(0.9) },
        { slot: 1, share: expect.closeTo(0.1) },
      ],
      idleCpus: 0.75,
      standstill: 0,
      longest: null,
      hanging: null,
      inFlight: 2,
      backlog: 2,
      requestsPerSecond: 15,
      workerBytes: 2000,
      freeBytes: 5000,
    });
  });

  test("goes on with a successor, whose count begins anew", () => {
    const figures = measure([
      sample(0, [worker(1, { cpuSeconds: 50, requests: 1000 })]),
      sample(1000, [worker(7, { slot: 0, cpuSeconds: 2, requests: 10 })]),
      sample(2000, [worker(7, { slot: 0, cpuSeconds: 2.5, requests: 20 })]),
    ]);
    expect(figures).toMatchObject({ busyCpus: 0.25, requestsPerSecond: 10 });
  });

  const standstills: [what: string, last: Partial<WorkerLoad>, figures: Partial<Figures>][] = [
    [
      "a late heartbeat",
      { loopDelayMs: 750 },
      { standstill: 0.375, longest: { slot: 0, ms: 750 } },
    ],
    ["one that is awaited", { beatMs: 1250 }, { standstill: 0.375, longest: { slot: 0, ms: 750 } }],
    ["a heartbeat that the master saw late", { beatMs: 499 }, { standstill: 0, longest: null }],
    ["one that doesn't come", { beatMs: 9500 }, { hanging: { slot: 0, ms: 9000 } }],
  ];
  test.each(standstills)("event loops that stand still: %s", (_what, last, figures) => {
    expect(measure([sample(0, [worker(1)]), sample(1000, [worker(1, last)])])).toMatchObject(
      figures,
    );
  });

  test("says nothing of no time, nor where the system doesn't", () => {
    expect(measure([])).toBeNull();
    expect(measure([sample(0, [worker(1)])])).toBeNull();
    const silent = worker(1, { cpuSeconds: null });
    expect(measure([sample(0, [silent]), sample(1000, [silent])])).toBeNull();
    const idle = measure([sample(0, [worker(1)], null), sample(1000, [worker(1)], null)]);
    expect(idle?.idleCpus).toBeNull();
  });
});

test("a sample goes over the control socket", () => {
  const sent = sample(1234.5, [
    worker(3, { cpuSeconds: 1.25, loopDelayMs: 12.5, beatMs: 250, inFlight: 1, requests: 9 }),
    worker(4, { cpuSeconds: null, memoryBytes: null }),
  ]);
  expect(decodeLoad(JSON.parse(JSON.stringify(encodeLoad(sent))))).toEqual(sent);
  expect(decodeLoad({})).toMatchObject({ workers: [], wanted: 0, bounds: { turns: null } });
});

describe("latencyWith()", () => {
  const figures = (change: Partial<Figures>) =>
    ({ workers: 1, busyCpus: 0.8, requestsPerSecond: 100, inFlight: 0.8, ...change }) as Figures;
  const rows: [
    what: string,
    change: Partial<Figures>,
    workers: number,
    now: number,
    then: number,
  ][] = [
    ["another worker shortens the wait for the loop", {}, 2, 8 / 0.2, 8 / 0.6],
    ["what the app waits for stays", { inFlight: 100.8 }, 2, 1000 + 8 / 0.2, 1000 + 8 / 0.6],
    ["fewer make it longer", { workers: 2 }, 1, 8 / 0.6, 8 / 0.2],
    ["a full worker's queue is as long as can be told", { busyCpus: 1 }, 2, 10 / 0.05, 10 / 0.5],
  ];
  test.each(rows)("%s", (_what, change, workers, nowMs, thenMs) => {
    const latency = latencyWith(figures(change), workers);
    expect(latency?.nowMs).toBeCloseTo(nowMs);
    expect(latency?.thenMs).toBeCloseTo(thenMs);
    expect(latency?.atLeast).toBe(change.busyCpus === 1);
  });

  test("says nothing without requests", () => {
    expect(latencyWith(figures({ requestsPerSecond: 0 }), 2)).toBeNull();
  });
});

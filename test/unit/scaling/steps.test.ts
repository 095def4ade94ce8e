import { describe, expect, test } from "bun:test";
import type { LoadSample } from "../../../src/scaling/load-sample.ts";
import { nextStep, withSample } from "../../../src/scaling/steps.ts";

const bounds = { min: 1, max: 4, upAfterMs: 10_000, downAfterMs: 120_000 };

/** A server of so many workers, over time: how much of a CPU each uses in each second. */
class Load {
  samples: readonly LoadSample[] = [];
  #atMs = 0;
  readonly #used: number[];
  readonly workers: number;

  constructor(workers: number) {
    this.workers = workers;
    this.#used = Array.from({ length: workers }, () => 0);
  }

  pass(seconds: number, share: number, workers = this.workers): this {
    for (let left = seconds; left > 0; left -= 1) this.#sample(share, workers);
    return this;
  }

  /** Nothing is seen of a while. */
  gap(seconds: number): this {
    this.#atMs += 1000 * seconds;
    return this;
  }

  get step() {
    return nextStep(this.samples, bounds)?.workers ?? null;
  }

  #sample(share: number, wanted: number): void {
    this.#atMs += 1000;
    const workers = this.#used.map((used, slot) => {
      const cpuSeconds = used + share;
      this.#used[slot] = cpuSeconds;
      const still = { loopDelayMs: 0, beatMs: 0, memoryBytes: 1000 };
      return {
        age: slot + 1,
        slot,
        cpuSeconds,
        inFlight: 2,
        connections: 5,
        requests: 0,
        ...still,
      };
    });
    const machine = { cpus: 8, idleSeconds: this.#atMs / 100, freeBytes: 1e9 };
    const limits = { turns: null, connections: 1000 };
    const sample = { atMs: this.#atMs, wanted, workers, backlog: 0, machine, bounds: limits };
    this.samples = withSample(this.samples, sample, bounds);
  }
}

describe("nextStep()", () => {
  const rows: [what: string, load: Load, step: number | null][] = [
    ["nothing is known yet", new Load(2), null],
    ["9 s of much load aren't enough", new Load(2).pass(10, 0.95), null],
    ["10 s are", new Load(2).pass(11, 0.95), 3],
    ["no more than max", new Load(4).pass(300, 0.95), null],
    ["a burst isn't enough", new Load(2).pass(60, 0.4).pass(4, 0.95), null],
    ["2 min of little load", new Load(3).pass(121, 0.1), 2],
    ["less of it isn't enough", new Load(3).pass(119, 0.1), null],
    ["no fewer than min", new Load(1).pass(300, 0.01), null],
    [
      "a load that comes and goes stays",
      new Load(3).pass(60, 0.1).pass(20, 0.7).pass(60, 0.1),
      null,
    ],
    ["long after it, it doesn't", new Load(3).pass(20, 0.7).pass(140, 0.1), 2],
    ["a load between both", new Load(2).pass(300, 0.65), null],
    ["a machine that stood still", new Load(2).pass(8, 0.95).gap(60).pass(4, 0.95), null],
    ["another number of workers begins anew", new Load(2).pass(8, 0.9).pass(4, 0.9, 1), null],
  ];
  test.each(rows)("%s", (_what, load, step) => {
    expect(load.step).toBe(step);
  });

  test("says why", () => {
    const { samples } = new Load(2).pass(11, 0.95);
    expect(nextStep(samples, bounds)?.because).toContain("use 95 % of a CPU each");
  });

  test("keeps no more samples than count", () => {
    expect(new Load(2).pass(1000, 0.6).samples.length).toBeLessThanOrEqual(122);
  });
});

import { expect, test } from "bun:test";
import { Lateness } from "../../../../src/worker/overload/lateness.ts";

const beatMs = 250;

/** A loop with a heartbeat and its probes, which is blocked for the first `blockMs` of each `periodMs`, on a clock of its own. */
class Loop {
  block: { readonly blockMs: number; readonly periodMs: number };
  #nowMs = 0;
  #probe: { dueMs: number; call: () => void } | null = null;
  probes = 0;
  readonly lateness = new Lateness({
    nowMs: () => this.#nowMs,
    after: (ms, call) => {
      this.probes += 1;
      this.#probe = { dueMs: this.#nowMs + ms, call };
    },
  });

  constructor(blockMs: number, periodMs: number) {
    this.block = { blockMs, periodMs };
  }

  /** Answers what the last heartbeat has said. */
  run(beats: number, active: boolean): number {
    let part = 0;
    for (let count = 0; count < beats; count += 1) {
      const dueMs = this.#nowMs + beatMs;
      while (this.#probe !== null && this.#probe.dueMs < dueMs) {
        const { dueMs: atMs, call } = this.#probe;
        this.#probe = null;
        this.#nowMs = Math.max(this.#nowMs, this.#freeAt(atMs));
        call();
      }
      this.#nowMs = Math.max(this.#nowMs, this.#freeAt(dueMs));
      part = this.lateness.beat(this.#nowMs - dueMs, active);
    }
    return part;
  }

  #freeAt(ms: number): number {
    const { blockMs, periodMs } = this.block;
    const at = ms % periodMs;
    return at < blockMs ? ms - at + blockMs : ms;
  }
}

test.each([
  ["a loop that is free", 0, 100, true, 0, 0],
  ["one that is late by what timers are late by", 2, 100, true, 0, 0.01],
  ["blocked for 50 of 100 ms", 50, 100, true, 0.3, 0.5],
  ["blocked for 500 of 1000 ms", 500, 1000, true, 0.3, 0.7],
  ["blocked for 90 of 100 ms", 90, 100, true, 0.6, 0.9],
  ["blocked for 30 of 300 ms", 30, 300, true, 0.02, 0.1],
  ["nothing comes, and heartbeats alone see it", 500, 1000, false, 0.1, 0.6],
])("Lateness: %s", (_name, blockMs, periodMs, active, least, most) => {
  const part = new Loop(blockMs, periodMs).run(40, active);
  expect(part).toBeGreaterThanOrEqual(least);
  expect(part).toBeLessThanOrEqual(most);
});

test("Lateness asks no timer while nothing comes, and remembers for seconds what it has seen", () => {
  const loop = new Loop(50, 100);
  loop.run(20, false);
  expect(loop.probes).toBe(0);
  const before = loop.run(20, true);
  const { probes } = loop;
  expect(loop.run(8, false)).toBeGreaterThan(before / 2);
  // The one that was under way, and what it has called.
  expect(loop.probes).toBeLessThan(probes + 20);
  loop.block = { blockMs: 0, periodMs: 100 };
  expect(loop.run(100, false)).toBeLessThan(0.01);
});

import { describe, expect, test } from "bun:test";
import { figuresOf, type Look, quantile } from "../../../../../src/arbiter/admin/page/figures.ts";
import { Recorder } from "../../../../../src/arbiter/admin/recorder.ts";
import type { Snapshot } from "../../../../../src/arbiter/admin/snapshot.ts";
import { durationBounds } from "../../../../../src/ipc/scoreboard-columns.ts";
import { World } from "../../../../support/arbiter-world.ts";
import { snapshotOf } from "../../../../support/snapshots.ts";

/** Durations by the upper bound of their bucket, in seconds; Infinity for what is above all. */
function durations(counts: Readonly<Record<number, number>>): number[] {
  return [...durationBounds, Number.POSITIVE_INFINITY, 0].map((bound) => counts[bound] ?? 0);
}

const noFacts = { at: 0, version: "", history: [], steered: false };
const look = (atMs: number, { status }: Snapshot): Look => ({ atMs, status });

describe("quantile()", () => {
  const rows: readonly (readonly [
    what: string,
    counts: Readonly<Record<number, number>>,
    share: number,
    seconds: number | null,
  ])[] = [
    ["is null of nothing", {}, 0.5, null],
    ["is in the middle of one bucket", { 0.0025: 10 }, 0.5, 0.00175],
    ["begins at 0 in the first one", { 0.0001: 10 }, 0.5, 0.00005],
    ["is the bound when all are below", { 0.001: 50, 1: 50 }, 0.5, 0.001],
    ["finds the slow ones", { 0.001: 98, 1: 2 }, 0.99, 0.75],
    ["passes over empty buckets", { 0.0001: 1, 10: 1 }, 0.99, 9.9],
    ["is the last bound of what is above", { [Number.POSITIVE_INFINITY]: 3 }, 0.5, 60],
  ];
  test.each(rows)("%s", (_what, counts, share, seconds) => {
    const found = quantile(durations(counts).slice(0, -1), share);
    if (seconds === null) expect(found).toBeNull();
    else expect(found).toBeCloseTo(seconds, 9);
  });
});

describe("figuresOf()", () => {
  const answers = (ok: number, failed = 0, none = 0) => [none, 0, ok, 0, 0, failed];

  test("at the first look, what is now is known, and nothing of a pace", () => {
    const rows = { 1: { inFlight: 2, loopDelayMs: 7, answers: answers(90) }, 2: { inFlight: 1 } };
    const snapshot = snapshotOf(new World().ready(1, 2), rows);
    const { all, workers, line } = figuresOf(
      snapshot,
      look(0, snapshot),
      { last: null, oldest: null },
      noFacts,
    );
    const unknown = { rate: null, p50: null, p99: null };
    expect(all).toEqual({ ...unknown, failures: null, inFlight: 3, memoryBytes: 3000 });
    expect(workers[0]).toMatchObject({ ...unknown, age: 1, slot: 0, inFlight: 2, loopDelayMs: 7 });
    expect(line).toBe("2 of 2 workers ready");
  });

  test("rates are of the time since the last look, durations of that since the oldest", () => {
    const world = new World().ready(1, 2);
    const at = (ok: number, failed: number, counts: Readonly<Record<number, number>>) =>
      snapshotOf(world, {
        1: { answers: answers(ok, failed), durations: durations(counts) },
        2: {},
      });
    const oldest = at(100, 0, { 1: 100 });
    const last = at(150, 0, { 1: 100, 0.001: 50 });
    const now = at(160, 5, { 1: 100, 0.001: 65 });
    const earlier = { last: look(3000, last), oldest: look(1000, oldest) };
    const { all, workers } = figuresOf(now, look(3500, now), earlier, noFacts);
    expect(all).toMatchObject({ rate: 30, failures: 10 });
    expect(all.p50).toBeCloseTo(0.00075, 9);
    expect(workers[0]).toMatchObject({ rate: 30, p50: all.p50, p99: all.p99 });
    expect(workers[1]).toMatchObject({ rate: 0, p50: null, p99: null });
  });

  test("all that a new worker has done counts, and what one did that has gone stays in the sum", () => {
    const world = new World().ready(1, 2);
    const done = { answers: answers(10), durations: durations({ 0.01: 10 }) };
    const before = snapshotOf(world, { 1: done, 2: done });
    world.event({ type: "exited", age: 1, code: null, signal: "SIGKILL" }).ready(3);
    const after = snapshotOf(world, { 2: done, 3: done });
    const totals = { ...before.status.totals, answers: answers(30) };
    const now = { ...after, status: { ...after.status, totals } };
    const earlier = { last: look(0, before), oldest: look(0, before) };
    const { all, workers } = figuresOf(now, look(1000, now), earlier, noFacts);
    expect(all.rate).toBe(10);
    expect(workers.map(({ age, rate, p50 }) => [age, rate, p50 === null])).toEqual([
      [3, 10, false],
      [2, 0, true],
    ]);
  });

  test("a worker that has just gone has no pace", () => {
    const now = snapshotOf(new World().ready(1, 2));
    const earlier = { last: look(0, now), oldest: look(0, now) };
    const { workers } = figuresOf(now, look(1000, now), earlier, noFacts);
    expect(workers[0]).toMatchObject({ rate: null, p50: null, inFlight: 0, memoryBytes: null });
  });
});

describe("Recorder", () => {
  function recorder() {
    let ok = 0;
    const world = new World().ready(1, 2);
    const made = new Recorder({
      snapshot: () => {
        ok += 100;
        const counts = durations({ [ok <= 300 ? 1 : 0.001]: 100 });
        return snapshotOf(world, { 1: { answers: [0, 0, ok, 0, 0, 0], durations: counts }, 2: {} });
      },
      happenings: () => [],
      steered: () => false,
    });
    return (atMs: number) => made.take(atMs, 0).all.rate;
  }

  test("compares with the look before", () => {
    const rateAt = recorder();
    expect([0, 1000, 3000].map(rateAt)).toEqual([null, 100, 50]);
  });

  test("begins anew when nobody has watched for a while", () => {
    const rateAt = recorder();
    expect([0, 1000, 6001, 7001].map(rateAt)).toEqual([null, 100, null, 100]);
  });
});

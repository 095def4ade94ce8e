import { describe, expect, test } from "bun:test";
import {
  type Arrivals,
  expectedOf,
  noArrivals,
  noteArrivals,
  resting,
  restMs,
  sharesOf,
  type SlotLoad,
} from "../../../../src/arbiter/decide/balance.ts";

function slot(load: number, more: Partial<SlotLoad> = {}): SlotLoad {
  const room = Number.POSITIVE_INFINITY;
  return { able: true, still: false, load, room, lateness: 0, arrivals: 0, ...more };
}

describe("sharesOf()", () => {
  test.each([
    ["an idle server: all alike", [slot(0), slot(0), slot(0), slot(0)], 16, [32, 32, 32, 32]],
    ["a single slot", [slot(7)], 1, [32]],
    ["level, whatever the number", [slot(90), slot(90)], 1, [32, 32]],
    ["few to come: the least loaded alone", [slot(3), slot(5), slot(5)], 1, [32, 0, 0]],
    ["two that are lowest", [slot(3), slot(3), slot(5)], 1, [32, 32, 0]],
    [
      "a burst to come fills up to one level",
      [slot(4), slot(5), slot(4), slot(3)],
      16,
      [26, 19, 26, 32],
    ],
    ["thousands to come: nearly alike", [slot(0), slot(40), slot(20)], 3000, [32, 31, 31]],
    ["far above the level: nothing until others are there", [slot(0), slot(100)], 16, [32, 0]],
    ["nobody serves there", [slot(0, { able: false }), slot(50), slot(50)], 4, [0, 32, 32]],
    [
      "nobody serves at all: all wait alike",
      [slot(0, { able: false }), slot(5, { able: false })],
      4,
      [1, 1],
    ],
    ["one stands still: none", [slot(0, { still: true }), slot(50)], 4, [0, 32]],
    [
      "most stand still: none is left out",
      [slot(0, { still: true }), slot(0, { still: true }), slot(0)],
      4,
      [32, 32, 32],
    ],
    [
      "late half of the time: an eighth",
      [slot(0, { lateness: 0.5 }), slot(0), slot(0)],
      9000,
      [4, 32, 32],
    ],
    [
      "late half of the time, and level by that",
      [slot(5, { lateness: 0.5 }), slot(40)],
      10,
      [3, 32],
    ],
    [
      "one is full: the late one has all",
      [slot(9, { room: 0 }), slot(9, { lateness: 1 })],
      4,
      [0, 32],
    ],
    [
      "one is nearly full: no more than it has room for",
      [slot(0, { room: 2 }), slot(0)],
      80,
      [2, 32],
    ],
    ["all are full: all wait alike", [slot(9, { room: 0 }), slot(9, { room: 0 })], 4, [1, 1]],
    ["hardly later than the best: as good", [slot(0, { lateness: 0.1 }), slot(0)], 8, [32, 32]],
    [
      "all late alike: all alike",
      [slot(0, { lateness: 0.8 }), slot(0, { lateness: 0.8 })],
      8,
      [32, 32],
    ],
    [
      "later than the best by a half, where all are late: an eighth",
      [slot(0, { lateness: 0.9 }), slot(0, { lateness: 0.4 })],
      9000,
      [4, 32],
    ],
    [
      "always late: a few, to see whether it is so still",
      [slot(0, { lateness: 1 }), slot(0)],
      80,
      [2, 32],
    ],
    ["always late, all: alike", [slot(0, { lateness: 1 }), slot(0, { lateness: 1 })], 80, [32, 32]],
  ])("%s", (_name, slots, expected, shares) => {
    expect(sharesOf(slots, expected)).toEqual(shares);
  });

  test("whatever the loads: no share below 0, one above it, none for who can't", () => {
    for (let round = 0; round < 2000; round += 1) {
      const slots = Array.from({ length: 1 + Math.floor(Math.random() * 8) }, () =>
        slot(Math.floor(Math.random() * 100), {
          able: Math.random() < 0.8,
          lateness: Math.random(),
        }),
      );
      const shares = sharesOf(slots, 1 + Math.random() * 100);
      expect(shares).toHaveLength(slots.length);
      expect(Math.max(...shares)).toBeGreaterThan(0);
      expect(Math.min(...shares)).toBeGreaterThanOrEqual(0);
      const some = slots.some(({ able }) => able);
      for (const [index, { able }] of slots.entries())
        if (some && !able) expect(shares[index]).toBe(0);
    }
  });

  test("followed by chance, 64 connections that come one by one are within one of the mean", () => {
    const loads = [0, 0, 0, 0];
    for (let count = 0; count < 64; count += 1) {
      const shares = sharesOf(
        loads.map((load) => slot(load)),
        1,
      );
      let at = Math.random() * shares.reduce((sum, share) => sum + share, 0);
      const chosen = shares.findIndex((share) => (at -= share) < 0);
      loads[chosen] = (loads[chosen] ?? 0) + 1;
    }
    expect(loads).toEqual([16, 16, 16, 16]);
  });
});

describe("arrivals", () => {
  const burst = noteArrivals(noArrivals, 16, 1000);
  test.each<readonly [string, Arrivals, number, number]>([
    ["nothing has ever come: a burst, for all one knows", noArrivals, 0, 16],
    ["a burst was there just now", burst, 1000, 16],
    ["a second later, while others come: half of it", noteArrivals(burst, 1, 2000), 2000, 8],
    ["seconds later, while others come one by one", noteArrivals(burst, 1, 9000), 9000, 1],
    ["one has come after a rest", noteArrivals(noArrivals, 1, 5000), 5000, 1],
    ["at rest again", noteArrivals(noArrivals, 1, 5000), 5001 + restMs, 16],
    ["at rest after a larger burst", noteArrivals(noArrivals, 90, 5000), 5001 + restMs, 90],
  ])("expectedOf(): %s", (_name, arrivals, nowMs, expected) => {
    expect(expectedOf(arrivals, 4, nowMs)).toBe(expected);
  });

  test("resting() until the first, and half a second behind the last", () => {
    expect(resting(noArrivals, 0)).toBe(true);
    expect(resting(burst, 1000 + restMs)).toBe(false);
    expect(resting(noteArrivals(burst, 0, 1200), 1001 + restMs)).toBe(true);
  });
});

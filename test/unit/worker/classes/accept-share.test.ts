import { describe, expect, test } from "bun:test";
import { AcceptShare } from "../../../../src/worker/classes/accept-share.ts";

const yes = () => true;
const no = () => false;

describe("AcceptShare.standsBack()", () => {
  test.each([
    ["behind, and more wait", -2, yes, false],
    ["level, and more wait", 0, yes, false],
    ["ahead, and more wait", 1, yes, true],
    ["ahead, and nothing waits", 1, no, false],
    ["two ahead, and nothing waits", 2, no, true],
  ])("%s", (_name, ahead, waiting, stands) => {
    expect(new AcceptShare().standsBack({ ahead, others: 0 }, waiting, 0)).toBe(stands);
  });

  test("asks whether more wait only of who is ahead", () => {
    const never = () => {
      throw new Error("asked");
    };
    expect(new AcceptShare().standsBack({ ahead: 0, others: 0 }, never, 0)).toBe(false);
  });

  test("far ahead where connections come in quick succession, and none waits: they come and go", () => {
    const share = new AcceptShare();
    share.standsBack({ ahead: 0, others: 0 }, no, 0);
    expect(share.standsBack({ ahead: 9, others: 0 }, no, 1)).toBe(false);
  });
});

type Turn = readonly [ahead: number, others: number, waiting: boolean];

/** What next() answers, one turn after another. */
function turns(burst: boolean, steps: readonly Turn[]): number[] {
  const share = new AcceptShare();
  share.standsBack({ ahead: 3, others: 0 }, burst ? yes : no, 0);
  return steps.map(([ahead, others, waiting]) => share.next({ ahead, others }, waiting));
}

describe("AcceptShare.next()", () => {
  test.each<readonly [string, boolean, readonly Turn[], readonly number[]]>([
    ["a burst is over", true, [[3, 4, false]], [0]],
    ["more wait, and the others have caught up", true, [[0, 4, true]], [0]],
    [
      "more wait, and the others take",
      true,
      [
        [3, 1, true],
        [2, 2, true],
        [0, 4, true],
      ],
      [1, 1, 0],
    ],
    [
      "more wait, and nobody takes: two turns",
      true,
      [
        [3, 0, true],
        [3, 0, true],
      ],
      [1, 0],
    ],
    [
      "they take after a turn",
      true,
      [
        [3, 0, true],
        [3, 1, true],
        [3, 1, true],
        [3, 1, true],
      ],
      [1, 1, 1, 0],
    ],
    [
      "at rest: while it is far ahead",
      false,
      [
        [3, 0, false],
        [3, 0, false],
        [3, 1, false],
        [1, 2, false],
      ],
      [1, 2, 4, 0],
    ],
    [
      "what comes meanwhile waits for others, then for nobody",
      false,
      [
        [3, 0, false],
        [3, 0, true],
        [3, 0, true],
      ],
      [1, 1, 0],
    ],
  ])("%s", (_name, burst, steps, answers) => {
    expect(turns(burst, steps)).toEqual([...answers]);
  });

  test("at rest it doesn't stand back for ever, however far ahead it is", () => {
    const steps = Array.from({ length: 40 }, () => [9, 0, false] as const);
    const waits = turns(false, steps);
    expect(waits.reduce((sum, ms) => sum + ms, 0)).toBe(199);
    expect(waits.at(-1)).toBe(0);
  });
});

/** How many connections a worker takes between two turns, when so many wait; `ahead` is how it stands behind each. */
function taken(share: AcceptShare, ahead: (count: number) => number, nowMs: number): number[] {
  const seen: number[] = [];
  let since = 0;
  for (let count = 1; count <= 400; count += 1) {
    since += 1;
    if (!share.standsBack({ ahead: ahead(count), others: count }, yes, nowMs)) continue;
    seen.push(since);
    since = 0;
    for (let others = count; share.next({ ahead: ahead(count), others }, true) > 0;);
  }
  return seen;
}

describe("a share", () => {
  test("grows while nobody helps, up to a bound", () => {
    expect(taken(new AcceptShare(), (count) => count, 0).slice(0, 9)).toEqual([
      1, 2, 4, 8, 16, 32, 64, 64, 64,
    ]);
  });

  test("is one while the others take theirs, until so many turns have left some", () => {
    const share = new AcceptShare();
    const seen: number[] = [];
    let since = 0;
    for (let count = 1; count <= 60; count += 1) {
      since += 1;
      if (!share.standsBack({ ahead: 1, others: 3 * count }, yes, 0)) continue;
      seen.push(since);
      since = 0;
      expect(share.next({ ahead: 0, others: 3 * count + 3 }, true)).toBe(0);
    }
    expect(seen.slice(0, 12)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 8, 16]);
  });

  test("begins anew with the next burst", () => {
    const share = new AcceptShare();
    taken(share, (count) => count, 0);
    expect(taken(share, (count) => count, 51)[0]).toBe(1);
  });

  test("halves when nothing waits behind it", () => {
    const share = new AcceptShare();
    taken(share, (count) => Math.min(count, 31), 0);
    const seen: number[] = [];
    for (let turn = 0, since = 1; turn < 6; since += 1) {
      let asked = false;
      share.standsBack({ ahead: 1, others: 0 }, () => !(asked = true), 1);
      if (!asked) continue;
      seen.push(since);
      since = 0;
      turn += 1;
    }
    expect(seen.slice(1)).toEqual([32, 16, 8, 4, 2]);
  });
});

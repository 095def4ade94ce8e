import { describe, expect, test } from "bun:test";
import { AcceptShare } from "../../../../src/worker/classes/accept-share.ts";

/** How many connections are taken, a millisecond apart, until the share is. */
function taken(share: AcceptShare, nowMs: number): number {
  for (let count = 1; count <= 1000; count++) if (share.take(nowMs + count / 1000)) return count;
  return Number.POSITIVE_INFINITY;
}

describe("a share", () => {
  test("is one connection at first", () => {
    expect(taken(new AcceptShare(), 0)).toBe(1);
  });

  test("doubles while others leave some, up to a bound", () => {
    const share = new AcceptShare();
    const seen: number[] = [];
    for (let turn = 0; turn < 9; turn++) {
      seen.push(taken(share, turn));
      share.othersHad(true);
    }
    expect(seen).toEqual([1, 2, 4, 8, 16, 32, 64, 64, 64]);
  });

  test("is one again when others leave none", () => {
    const share = new AcceptShare();
    for (let turn = 0; turn < 4; turn++) share.othersHad(true);
    share.othersHad(false);
    expect(taken(share, 0)).toBe(1);
  });

  test("halves when nothing waits behind it, and is never none", () => {
    const share = new AcceptShare();
    taken(share, 0);
    for (let turn = 0; turn < 3; turn++) share.othersHad(true);
    const seen: number[] = [];
    for (let turn = 1; turn < 6; turn++) {
      seen.push(taken(share, turn));
      share.foundEmpty();
    }
    expect(seen).toEqual([8, 4, 2, 1, 1]);
  });

  test.each([
    [50, false],
    [51, true],
  ])("of a burst %d ms ago counts no more: %p", (gapMs, anew) => {
    const share = new AcceptShare();
    share.take(0);
    share.othersHad(true);
    expect(share.take(gapMs)).toBe(anew);
  });

  test("begins anew in the middle of one", () => {
    const share = new AcceptShare();
    share.take(0);
    share.othersHad(true);
    share.othersHad(true);
    share.take(1);
    expect(share.take(100)).toBe(true);
  });
});

import { describe, expect, test } from "bun:test";
import { emptyWindow, offer, taken, type Window, windowBytes } from "../../../src/ipc/window.ts";

const half = windowBytes / 2;

describe("offer()", () => {
  const rows: [claim: string, from: Window, bytes: number, to: Window][] = [
    ["sends", emptyWindow, 10, { outstanding: 10, dropped: 0 }],
    ["fills", { outstanding: half, dropped: 0 }, half, { outstanding: windowBytes, dropped: 0 }],
    ["drops", { outstanding: half, dropped: 0 }, half + 1, { outstanding: half, dropped: 3 }],
    ["drops on", { outstanding: half + 9, dropped: 3 }, 1, { outstanding: half + 9, dropped: 6 }],
    [
      "sends what is too long when nothing else is under way",
      emptyWindow,
      windowBytes * 2,
      { outstanding: windowBytes * 2, dropped: 0 },
    ],
  ];
  test.each(rows)("%s", (_, from, bytes, to) => {
    expect(offer(from, bytes, 3)).toEqual(to);
  });
});

describe("taken()", () => {
  const rows: [claim: string, from: Window, bytes: number, to: Window][] = [
    ["frees", { outstanding: 10, dropped: 0 }, 4, { outstanding: 6, dropped: 0 }],
    ["ends at nothing", { outstanding: 10, dropped: 0 }, 99, emptyWindow],
    [
      "goes on to drop above a half",
      { outstanding: windowBytes, dropped: 7 },
      half - 1,
      { outstanding: half + 1, dropped: 7 },
    ],
    [
      "sends again below it",
      { outstanding: windowBytes, dropped: 7 },
      half,
      { outstanding: half, dropped: 0 },
    ],
  ];
  test.each(rows)("%s", (_, from, bytes, to) => {
    expect(taken(from, bytes)).toEqual(to);
  });
});

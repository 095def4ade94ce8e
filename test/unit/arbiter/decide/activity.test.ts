import { expect, test } from "bun:test";
import { activityOf } from "../../../../src/arbiter/decide/activity.ts";

const rows: [state: string, share: number | null, waits: number, activity: string | null][] = [
  ["R", null, 0, "computing"],
  ["S", null, 0, "waiting"],
  ["D", null, 0, "waiting"],
  ["R", 0.97, 0, "computing"],
  // It looks up just now.
  ["R", 0.02, 12, "waiting"],
  // It stands in the queue all the time.
  ["R", 0, 0, "computing"],
  ["S", 0.97, 30, "computing"],
  ["D", 0.6, 30, "computing"],
  ["S", 0, 0, "waiting"],
  ["S", 0.1, 1, "waiting"],
  ["T", 0.9, 0, "stopped"],
  ["t", null, 0, "stopped"],
  ["Z", null, 0, null],
  ["X", 0, 0, null],
  ["", null, 0, null],
];

test.each(rows)("state %p, share %p, %p waits: %p", (state, share, waits, activity) => {
  const since = share === null ? null : { share, waits };
  expect(activityOf(state, since) as string | null).toBe(activity);
});

import { expect, test } from "bun:test";
import { Deadlines, type DeadlineTicks } from "../../../../src/worker/connection/deadlines.ts";

const times: DeadlineTicks = {
  headTicks: 9,
  bodyTicks: 7,
  writeTicks: 5,
  keepAliveTicks: 3,
  lingerTicks: 2,
  graceTicks: 4,
  probe: { unsentBytes: () => -1, peerHasEnded: () => false, unreadBytes: () => -1 },
};

/** After how many ticks something runs out, and what; null if nothing does. */
function expired(deadlines: Deadlines): [number, string] | null {
  for (let count = 1; count <= 20; count++) {
    const what = deadlines.tick();
    if (what !== null) return [count, what];
  }
  return null;
}

test.each<
  [string, Partial<DeadlineTicks>, (deadlines: Deadlines) => void, [number, string] | null]
>([
  ["a silent client", {}, () => {}, [9, "header_timeout"]],
  ["a silent client, header_timeout 0", { headTicks: 0 }, () => {}, null],
  ["an idle client", {}, (each) => each.idles(), [3, "keepalive"]],
  ["a body that stands still", {}, (each) => each.bodyArrives(false), [7, "body_timeout"]],
  ["a body that the app leaves unread", {}, (each) => each.bodyArrives(true), null],
  ["an app at work", {}, (each) => each.requestComplete(), null],
  ["a slow reader", {}, (each) => each.writes(true), [5, "write_timeout"]],
  ["a client that doesn't close", {}, (each) => each.lingers(), [2, "lingering close"]],
  ["a drain before the first byte", {}, (each) => each.idlesBriefly(), [3, "keepalive"]],
  [
    "a drain before the first byte, header_timeout 0",
    { headTicks: 0 },
    (each) => each.idlesBriefly(),
    [3, "keepalive"],
  ],
])("%s", (_name, change, happen, outcome) => {
  const deadlines = new Deadlines({ ...times, ...change }, { fd: 1 });
  happen(deadlines);
  expect(expired(deadlines)).toEqual(outcome);
});

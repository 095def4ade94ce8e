/** A worker that is ahead stands back, and for how long. */
import { expect, test } from "bun:test";
import { SharedQueue } from "../../../../src/worker/classes/shared-queue.ts";

const row = (connections: number, takes: number) => ({ accepted: 0, connections, takes });

const rows: [claim: string, own: number, others: number[], waits: boolean, told: string[]][] = [
  ["with as many as another it takes", 1, [1], false, []],
  ["beside nobody who takes it takes", 9, [], false, []],
  ["ahead it stands back while nothing waits, and not for ever", 9, [1], false, ["stop", "resume"]],
  ["ahead it takes when others leave what waits", 9, [1], true, ["stop", "resume"]],
];

test.each(rows)("%s", async (_claim, own, others, waits, expected) => {
  const told: string[] = [];
  const over = Promise.withResolvers<void>();
  const queue = new SharedQueue({
    own: row(own, 1),
    siblings: { rows: [...others.map((count) => row(count, 1)), row(0, 0)] },
    waiting: () => waits,
    stop: () => void told.push("stop"),
    resume: () => {
      told.push("resume");
      over.resolve();
    },
  });
  queue.accepted();
  expect(queue.standsBack).toBe(expected.length > 0);
  if (expected.length > 0) await over.promise;
  expect([told, queue.standsBack]).toEqual([expected, false]);
});

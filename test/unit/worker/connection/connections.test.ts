/** The clock of all connections, and who is counted. */
import { expect, test } from "bun:test";
import { Connections } from "../../../../src/worker/connection/connections.ts";
import { until } from "../../../support/server.ts";

function member() {
  const seen = { ticks: 0, drains: 0 };
  return { seen, tick: () => void (seen.ticks += 1), drain: () => void (seen.drains += 1) };
}

test("one clock runs from the first start() to stop(), however often both are called", async () => {
  const connections = new Connections({ connections: 0 });
  const one = member();
  connections.add(one);
  connections.start();
  connections.start();
  await until("a tick", () => one.seen.ticks > 0);
  expect(one.seen.ticks).toBe(1);
  connections.stop();
  connections.stop();
  connections.start();
  await until("another tick", () => one.seen.ticks > 1);
  connections.stop();
  expect(one.seen.ticks).toBe(2);
});

test("members are counted, drained once, and the last one's end is told", async () => {
  const scores = { connections: 0 };
  const connections = new Connections(scores);
  const [early, late] = [member(), member()];
  await connections.emptied();
  connections.add(early);
  expect(connections.draining).toBe(false);
  connections.drain();
  connections.add(late);
  expect([early.seen.drains, late.seen.drains, scores.connections]).toEqual([1, 1, 2]);
  let isEmpty = false;
  const emptied = connections.emptied().then(() => (isEmpty = true));
  connections.remove(early);
  await Promise.resolve();
  expect([isEmpty, connections.size, connections.draining]).toEqual([false, 1, true]);
  connections.remove(late);
  await emptied;
  expect([connections.size, scores.connections]).toEqual([0, 0]);
});

test("lasting members are counted, served() doesn't wait for them, and emptied() ends them", async () => {
  const scores = { connections: 0 };
  const connections = new Connections(scores);
  const [first, second] = [member(), member()];
  const lasting = {
    ticks: 0,
    tick: () => void (lasting.ticks += 1),
    leave: () => connections.remove(lasting),
  };
  connections.add(first);
  connections.add(second);
  connections.replace(first, lasting);
  connections.tick();
  expect([connections.size, first.seen.ticks, second.seen.ticks, lasting.ticks]).toEqual([
    2, 0, 1, 1,
  ]);
  let isServed = false;
  const served = connections.served().then(() => (isServed = true));
  await Promise.resolve();
  expect(isServed).toBe(false);
  connections.remove(second);
  await served;
  expect([connections.size, scores.connections]).toEqual([1, 1]);
  await connections.emptied();
  expect([connections.size, scores.connections]).toEqual([0, 0]);
});

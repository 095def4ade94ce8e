import { expect, test } from "bun:test";
import { AppMetrics } from "../../../../../src/arbiter/act/apps/app-metrics.ts";
import type { AppFamily } from "../../../../../src/telemetry/metrics/app-families.ts";

const families = (value: number) => [
  { name: "jobs", help: "", type: "counter", values: [{ value, labels: {} }] },
];
const counted = (value: number, last = false) =>
  ({ type: "app metrics", families: families(value), last }) as const;

/** Workers that answer with ten more each time, but those named. */
function world(silent: readonly number[] = []) {
  const sent: [age: number, type: string][] = [];
  const logged: string[] = [];
  const counts = new Map<number, number>();
  const metrics = new AppMetrics({
    log: (level, message) => void logged.push(`${level}: ${message}`),
    send: (age, { type }) => {
      sent.push([age, type]);
      if (type !== "app metrics wanted" || silent.includes(age)) return;
      counts.set(age, (counts.get(age) ?? 0) + 10);
      queueMicrotask(() => metrics.receive(age, counted(counts.get(age) ?? 0)));
    },
  });
  return { metrics, sent, logged };
}

const sumOf = (all: readonly AppFamily[] | null) => all?.[0]?.values[0]?.value ?? null;

test("without an app that has metrics there is nothing to wait for", () => {
  expect(world().metrics.gather()).toBeNull();
});

test("workers are asked, and those that ask at the same time get the same", async () => {
  const { metrics, sent } = world();
  metrics.receive(1, counted(0));
  metrics.receive(2, counted(0));
  const [one, other] = [metrics.gather(), metrics.gather()];
  expect(one).toBe(other);
  expect(sumOf(await one)).toBe(20);
  expect(sent).toEqual([
    [1, "app metrics wanted"],
    [2, "app metrics wanted"],
  ]);
  expect(sumOf(await metrics.gather())).toBe(40);
});

test("what one that has gone has counted stays, and is nobody's twice", async () => {
  const { metrics, sent } = world();
  metrics.receive(1, counted(5));
  metrics.receive(1, counted(7, true));
  expect(sent).toEqual([[1, "app metrics taken"]]);
  metrics.remove(1);
  expect(sumOf(await metrics.gather())).toBe(7);
  metrics.receive(2, counted(0));
  expect(sumOf(await metrics.gather())).toBe(17);
  metrics.remove(2);
  metrics.remove(2);
  expect(sumOf(await metrics.gather())).toBe(17);
});

test("one that doesn't answer is shown as it was, and waited for once", async () => {
  const { metrics, sent } = world([1]);
  metrics.receive(1, counted(3));
  metrics.receive(2, counted(0));
  expect(sumOf(await metrics.gather())).toBe(13);
  const order: string[] = [];
  const again = metrics.gather()?.then((all) => (order.push("answer"), all));
  // A turn of the event loop: those that answer have done so by then.
  setImmediate(() => order.push("turn"));
  expect(sumOf((await again) ?? null)).toBe(23);
  expect(order).toEqual(["answer"]);
  expect(sent.filter(([age]) => age === 1)).toHaveLength(1);
  metrics.receive(1, counted(5));
  void metrics.gather();
  expect(sent.filter(([age]) => age === 1)).toHaveLength(2);
});

test("one that can't be read at the moment is shown as it was, and asked again", async () => {
  const { metrics, sent } = world([1]);
  metrics.receive(1, counted(3));
  for (let count = 1; count <= 2; count += 1) {
    const asked = metrics.gather();
    metrics.receive(1, { type: "app metrics", families: null, last: false });
    expect(sumOf(await asked)).toBe(3);
    expect(sent).toHaveLength(count);
  }
});

test("one that goes while it is asked keeps nobody waiting", async () => {
  const { metrics } = world([1]);
  metrics.receive(1, counted(3));
  const asked = metrics.gather();
  metrics.remove(1);
  expect(sumOf(await asked)).toBe(3);
});

test("what can't be read is told once, and what was before stays", async () => {
  const { metrics, logged } = world([1]);
  metrics.receive(1, counted(3));
  for (let count = 0; count < 2; count += 1)
    metrics.receive(1, { type: "app metrics", families: "none", last: false });
  expect(logged).toEqual([
    "error: admin_bind: the app's metrics can't be shown: its metrics are no list",
  ]);
  expect(sumOf(await metrics.gather())).toBe(3);
});

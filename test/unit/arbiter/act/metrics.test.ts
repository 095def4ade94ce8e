import { expect, test } from "bun:test";
import { Metrics } from "../../../../src/arbiter/act/metrics.ts";
import { Statsd } from "../../../../src/telemetry/statsd.ts";

function openStatsd(): { statsd: Statsd; lines: () => string[] } {
  let text = "";
  const channel = {
    send(packet: Uint8Array) {
      text += `${Buffer.from(packet).toString()}\n`;
      return "sent" as const;
    },
    close() {},
  };
  const statsd = new Statsd(channel, "", "");
  return {
    statsd,
    lines() {
      statsd.flush();
      return text.split("\n").slice(0, -1);
    },
  };
}

/** As many connections wait as it has been asked before. */
function queue() {
  let asked = 0;
  return { waiting: () => asked++ };
}

const off = { enableBacklogMetric: false };
const on = { enableBacklogMetric: true };

function inUse(statsd: Statsd | null, config: { enableBacklogMetric: boolean }) {
  return { logs: { statsd }, resolved: { config } };
}

test("tells of each change of the number of workers, 0 at the end included", () => {
  const { statsd, lines } = openStatsd();
  const metrics = new Metrics(queue());
  for (const workers of [1, 1, 2, 3, 3, 2, 0, 0]) metrics.observe(inUse(statsd, off), workers, 0);
  expect(lines()).toEqual([1, 2, 3, 2, 0].map((workers) => `gunicorn.workers:${workers}|g`));
});

test("tells a statsD that a reload has brought, and does without one", () => {
  const before = openStatsd();
  const after = openStatsd();
  const metrics = new Metrics(queue());
  metrics.observe(inUse(before.statsd, off), 2, 0);
  metrics.observe(inUse(null, on), 3, 0);
  metrics.observe(inUse(after.statsd, off), 2, 0);
  expect(before.lines()).toEqual(["gunicorn.workers:2|g"]);
  expect(after.lines()).toEqual(["gunicorn.workers:2|g"]);
});

test("measures the queues once a second, if that is wanted", () => {
  const { statsd, lines } = openStatsd();
  const metrics = new Metrics(queue());
  for (let nowMs = 5000; nowMs < 8000; nowMs += 250) metrics.observe(inUse(statsd, on), 1, nowMs);
  metrics.observe(inUse(statsd, off), 1, 20_000);
  const backlog = [0, 1, 2].map((waiting) => `gunicorn.backlog:${waiting}|h`);
  expect(lines()).toEqual(["gunicorn.workers:1|g", ...backlog]);
});

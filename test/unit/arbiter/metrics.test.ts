import { expect, test } from "bun:test";
import { Metrics } from "../../../src/arbiter/metrics.ts";
import { Statsd } from "../../../src/log/statsd.ts";

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

test("tells of each change of the number of workers, 0 at the end included", () => {
  const { statsd, lines } = openStatsd();
  const metrics = new Metrics(queue());
  for (const workers of [1, 1, 2, 3, 3, 2, 0, 0])
    metrics.observe({ statsd, config: off }, workers, 0);
  expect(lines()).toEqual([1, 2, 3, 2, 0].map((workers) => `gunicorn.workers:${workers}|g`));
});

test("tells a statsD that a reload has brought, and does without one", () => {
  const before = openStatsd();
  const after = openStatsd();
  const metrics = new Metrics(queue());
  metrics.observe({ statsd: before.statsd, config: off }, 2, 0);
  metrics.observe({ statsd: null, config: on }, 3, 0);
  metrics.observe({ statsd: after.statsd, config: off }, 2, 0);
  expect(before.lines()).toEqual(["gunicorn.workers:2|g"]);
  expect(after.lines()).toEqual(["gunicorn.workers:2|g"]);
});

test("measures the queues once a second, if that is wanted", () => {
  const { statsd, lines } = openStatsd();
  const metrics = new Metrics(queue());
  for (let nowMs = 5000; nowMs < 8000; nowMs += 250)
    metrics.observe({ statsd, config: on }, 1, nowMs);
  metrics.observe({ statsd, config: off }, 1, 20_000);
  const backlog = [0, 1, 2].map((waiting) => `gunicorn.backlog:${waiting}|h`);
  expect(lines()).toEqual(["gunicorn.workers:1|g", ...backlog]);
});

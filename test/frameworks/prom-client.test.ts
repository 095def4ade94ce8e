/** prom-client's registry at /metrics is what its own AggregatorRegistry makes of all workers, and Prometheus takes it. */
import { expect, test } from "bun:test";
import { mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adminArgs, adminUrl, askAdmin, readFigures } from "../support/admin.ts";
import { toolPath } from "../support/peers.ts";
import { gunicorn, until } from "../support/server.ts";
import { needsPackages } from "./installed.ts";

const app = `
import client from "prom-client";
client.collectDefaultMetrics();
const labelNames = ["shop"];
const orders = new client.Counter({ name: "orders_total", help: "Orders", labelNames });
const took = new client.Histogram({ name: "took_seconds", help: "How long", labelNames, buckets: [0.5, 1, 2.5] });
const sizes = new client.Summary({ name: "sizes", help: "Sizes", percentiles: [0.5, 0.9] });
const queue = new client.Gauge({ name: "queue", help: "Waiting" });
const oldest = new client.Gauge({ name: "oldest", help: "Oldest", aggregator: "max" });
const hidden = new client.Gauge({ name: "hidden", help: "Hidden", aggregator: "omit" });
hidden.set(1);
let count = 0;
export const metrics = client.register;
export const fetch = async (request) => {
  if (new URL(request.url).pathname === "/json")
    return Response.json({ pid: process.pid, metrics: await metrics.getMetricsAsJSON() });
  count += 1;
  orders.inc({ shop: count % 2 === 0 ? "a" : 'b"\\\\' });
  took.observe({ shop: "a" }, count % 3);
  sizes.observe(count);
  queue.set(count);
  oldest.set(count);
  return new Response("ok");
};`;

/** In a process of its own: this one began before the packages were there. */
const aggregates = `
import { AggregatorRegistry } from "prom-client";
process.stdout.write(await AggregatorRegistry.aggregate(await Bun.stdin.json()).metrics());`;

test.skipIf(needsPackages !== "")(
  `prom-client's metrics are joined as by prom-client${needsPackages}`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
    symlinkSync(join(import.meta.dir, "node_modules"), join(folder, "node_modules"));
    await using server = await gunicorn({
      folder,
      files: { "app.ts": app },
      args: ["-w", "2", ...adminArgs],
    });
    const url = await adminUrl(server);
    await until("both workers", async () => {
      const stats = (await (await askAdmin(url, "/stats")).json()) as { status: { ready: number } };
      return stats.status.ready === 2;
    });
    for (let count = 0; count < 40; count += 1) await (await server.fetch()).text();
    const all = new Map<number, readonly unknown[]>();
    await until("each worker's own", async () => {
      const own = (await (await server.fetch("/json")).json()) as {
        pid: number;
        metrics: readonly unknown[];
      };
      all.set(own.pid, own.metrics);
      return all.size === 2;
    });
    writeFileSync(join(folder, "aggregate.ts"), aggregates);
    await using aggregating = Bun.spawn([process.execPath, "aggregate.ts"], {
      cwd: folder,
      stdin: new Blob([JSON.stringify([...all.values()])]),
      stdout: "pipe",
      stderr: "inherit",
    });
    const theirs = readFigures(await aggregating.stdout.text());
    const answer = await askAdmin(url, "/metrics", { headers: { Accept: "text/plain" } });
    const text = await answer.text();
    const ours = readFigures(text);
    // Of the process's own figures another look sees others.
    const steady = [...theirs].filter(([name]) => !/^(process|nodejs)_/.test(name));
    expect(steady.length).toBeGreaterThan(12);
    expect(steady.filter(([name, value]) => !Object.is(ours.get(name), value))).toEqual([]);
    expect(ours.has("hidden")).toBe(false);
    const missing = [...theirs.keys()].filter((name) => !ours.has(name));
    expect(missing).toEqual([]);
    if (toolPath("promtool") === null) return;
    await using check = Bun.spawn([toolPath("promtool") as string, "check", "metrics"], {
      stdin: new Blob([text]),
      stdout: "pipe",
      stderr: "pipe",
    });
    const said = (await check.stderr.text()) + (await check.stdout.text());
    // What prom-client names, promtool may not like; what it can't read it says otherwise.
    const faults = said
      .split("\n")
      .filter((line) => line !== "" && !/^(nodejs|process)_/.test(line));
    expect(faults).toEqual([]);
  },
  240_000,
);

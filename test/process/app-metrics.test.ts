/** An app's own registry at /metrics: of all workers together, and no counter goes back, whatever becomes of them. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { adminArgs, adminUrl, goneBack, scrape, textOf } from "../support/admin.ts";
import { gunicorn, until } from "../support/server.ts";

/** As prom-client has one: a counter, a gauge of the process, and one that the server has too. */
const app = `
let orders = 0;
const family = (name, type, value, aggregator = "sum") =>
  ({ name, type, help: name, aggregator, values: [{ value, labels: { shop: "a" } }] });
export const metrics = {
  getMetricsAsJSON: async () => [
    family("orders_total", "counter", orders),
    family("queue", "gauge", 1),
    family("process_cpu_seconds_total", "counter", 1),
  ],
};
export const fetch = (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/hang") for (;;) continue;
  if (pathname === "/order") orders += 1;
  return new Response(String(process.pid));
};`;

const orders = 'orders_total{shop="a"}';

test("is summed, over a reload, fewer workers and kill -9", async () => {
  await using server = await gunicorn({
    files: { "app.ts": app },
    args: ["-w", "3", ...adminArgs],
  });
  const url = await adminUrl(server);
  await until("all workers", async () => (await scrape(url)).get("gunicorn_workers_ready") === 3);
  let before = await scrape(url);
  let ordered = 0;
  const order = async (count: number) => {
    for (let each = 0; each < count; each += 1) await (await server.fetch("/order")).text();
    ordered += count;
  };
  /** Waits until all that was ordered is counted, by so many workers. */
  const settled = (workers: number) =>
    until(`${ordered} orders of ${workers}`, async () => {
      const now = await scrape(url);
      expect(goneBack(before, now)).toEqual([]);
      before = now;
      return now.get(orders) === ordered && now.get('queue{shop="a"}') === workers;
    });
  await order(20);
  await settled(3);
  server.kill("SIGHUP");
  await order(20);
  await until("the reload", () => server.log.match(/Worker exiting/g)?.length === 3);
  await settled(3);
  server.kill("SIGTTOU");
  await order(20);
  await settled(2);
  const [victim] = server.workers();
  process.kill(victim as number, "SIGKILL");
  await until("its successor", async () => {
    const now = server.workers();
    return now.length === 2 && !now.includes(victim as number);
  });
  await settled(2);
  await order(20);
  await settled(2);
  expect(await textOf(url, "/metrics")).toMatch(/# TYPE orders counter\n[\s\S]*# EOF\n$/);
  expect(server.log.match(/not shown: process_cpu_seconds_total/g)).toHaveLength(1);
}, 240_000);

test("a worker that hangs keeps no scrape waiting, and is shown as it was", async () => {
  await using server = await gunicorn({
    files: { "app.ts": app },
    args: ["--timeout", "0", ...adminArgs],
  });
  const url = await adminUrl(server);
  await (await server.fetch("/order")).text();
  await until("the order", async () => (await scrape(url)).get(orders) === 1);
  void server.fetch("/hang").catch(() => null);
  await until("the request", async () =>
    (await textOf(url, "/metrics")).includes('gunicorn_requests_in_flight{slot="0"} 1\n'),
  );
  expect((await scrape(url)).get(orders)).toBe(1);
}, 120_000);

test("what is no registry is told, and so is one that can't be read; the server serves", async () => {
  const broken = `export const fetch = () => new Response("ok"); export const metrics = `;
  await using server = await gunicorn({
    files: { "app.ts": `${broken} {};` },
    args: adminArgs,
  });
  const url = await adminUrl(server);
  await server.logged("[WARNING] app.ts: its metrics are no registry of prom-client");
  const thrower = `${broken} { getMetricsAsJSON() { throw new Error("on purpose"); } };`;
  writeFileSync(join(server.folder, "app.ts"), thrower);
  server.kill("SIGHUP");
  await server.logged(/\[WARNING\] The app's metrics can't be read: Error: on purpose/);
  expect((await scrape(url)).has("gunicorn_workers_wanted")).toBe(true);
  expect(await (await server.fetch()).text()).toBe("ok");
}, 120_000);

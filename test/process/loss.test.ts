import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eventfulLoad, okApp, serveLoss } from "../support/eventful-load.ts";
import type { LoadResult } from "../support/load.ts";
import { gunicorn } from "../support/server.ts";

const recycling = ["--max-requests", "200", "--max-requests-jitter", "50"];

test("no planned event loses a request: HUP, TTIN, TTOU, max_requests, the loss of an idle worker", async () => {
  const files = { "app.ts": okApp };
  await using server = await gunicorn({ files, args: ["-w", "3", ...recycling] });
  const { requests, failures } = await eventfulLoad(server);
  expect(failures).toEqual([]);
  expect(requests).toBeGreaterThan(10_000);
  expect(server.log.match(/Autorestarting worker/g)?.length).toBeGreaterThan(20);
  expect(await server.stop()).toBe(0);
}, 120_000);

function migratesRequests(): boolean {
  return readFileSync("/proc/sys/net/ipv4/tcp_migrate_req", "latin1").trim() === "1";
}

test.skipIf(migratesRequests())(
  "the test itself can fail: workers that open their own sockets reset what waits in them",
  async () => {
    const { failures } = await serveLoss();
    expect(failures).not.toEqual([]);
    expect(failures.filter((failure) => failure.includes("ECONNRESET"))).not.toEqual([]);
  },
  120_000,
);

/** A network namespace of its own takes root. */
const mayUnshare =
  process.getuid?.() === 0 && Bun.which("unshare") !== null && Bun.which("ip") !== null;

test.skipIf(!mayUnshare)(
  "where the kernel migrates requests (net.ipv4.tcp_migrate_req=1), -k serve loses nothing either",
  async () => {
    const script = join(import.meta.dir, "../support/eventful-load.ts");
    const command = `ip link set lo up && echo 1 > /proc/sys/net/ipv4/tcp_migrate_req && exec "$0" "$1"`;
    await using child = Bun.spawn(
      ["unshare", "--net", "sh", "-c", command, process.execPath, script],
      {
        stdout: "pipe",
        stderr: "inherit",
      },
    );
    const result = JSON.parse(await child.stdout.text()) as LoadResult;
    expect(result.failures).toEqual([]);
    expect(result.requests).toBeGreaterThan(10_000);
    expect(await child.exited).toBe(0);
  },
  120_000,
);

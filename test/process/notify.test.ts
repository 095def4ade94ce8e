/** The service manager's messages, through real sockets to a real receiver; the whole server is in notify-server.test.ts. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServiceManager } from "../../src/arbiter/act/master/service-manager.ts";
import { monotonicUsec, sendNotification } from "../../src/os/processes/notify.ts";
import { generation, World } from "../support/arbiter-world.ts";
import { receiver } from "../support/notify-receiver.ts";
import { until } from "../support/server.ts";

function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "gunicorn-ts-notify-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

test.each(["a path", "an abstract name"])("a datagram reaches %s", async (kind) => {
  using folder = temporaryFolder();
  const path = join(folder.path, "notify.sock");
  const address = kind === "a path" ? path : `@${path}`;
  await using socat = await receiver(address);
  expect(sendNotification(address, "READY=1\nSTATUS=größer\n")).toBeNull();
  await socat.heard(/READY=1\nSTATUS=größer\n/);
});

test("the life of a server, as its service manager hears of it", async () => {
  using folder = temporaryFolder();
  const address = join(folder.path, "notify.sock");
  await using socat = await receiver(address);
  const warnings: string[] = [];
  let sent = "";
  const service = new ServiceManager({
    env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: "500000" },
    pid: process.pid,
    warn: (message) => warnings.push(message),
    send: (to, text) => {
      sent += text;
      return sendNotification(to, text);
    },
  });
  const world = new World(generation(1));
  const see = async (event: () => void) => {
    event();
    service.observe(world.state, world.nowMs);
    // The kernel's default is to hold ten datagrams.
    await until("the receiver to be idle", () => socat.text === sent);
  };
  const before = monotonicUsec();
  await see(() => {});
  await see(() => world.ready(1));
  await see(() => world.ready(2));
  await see(() => world.signal("hup"));
  await see(() => world.loaded(generation(2)));
  await see(() => world.ready(3));
  await see(() => world.exit(1));
  await see(() => world.ready(4));
  await see(() => world.signal("hup"));
  await see(() => world.event({ type: "config failed", message: "wrong" }));
  await see(() => world.pass(250));
  await see(() => world.signal("term"));
  await see(() => world.exit(2));
  await see(() => world.exit(3));
  await see(() => world.exit(4));
  service.halt(world.state.mastership);
  expect(world.halted).not.toBeNull();
  expect(socat.lines).toEqual([
    "STATUS=Starting: 0 of 2 workers ready",
    "READY=1",
    "STATUS=1 of 2 workers ready",
    "STATUS=2 of 2 workers ready",
    "RELOADING=1",
    "MONOTONIC_USEC=N",
    "STATUS=Reloading: reading the configuration",
    "STATUS=Reloading: trying a worker of the new configuration",
    "STATUS=Reloading: 1 of 2 workers replaced",
    "READY=1",
    "STATUS=2 of 2 workers ready",
    "RELOADING=1",
    "MONOTONIC_USEC=N",
    "STATUS=Reloading: reading the configuration",
    "READY=1",
    "STATUS=2 of 2 workers ready; the last reload failed, see the log",
    "STOPPING=1",
    "STATUS=Stopping, workers left: 3",
    "STATUS=Stopping, workers left: 2",
    "STATUS=Stopping, workers left: 1",
    "STATUS=Stopping, workers left: 0",
  ]);
  expect(socat.text.match(/^WATCHDOG=1$/gm)).toHaveLength(2);
  for (const [, usec = ""] of socat.text.matchAll(/^MONOTONIC_USEC=(\d+)$/gm)) {
    expect(BigInt(usec)).toBeGreaterThanOrEqual(before);
    expect(BigInt(usec)).toBeLessThanOrEqual(monotonicUsec());
  }
  expect(warnings).toEqual([]);
});

test("a receiver that reads nothing never holds the sender up", async () => {
  using folder = temporaryFolder();
  const address = join(folder.path, "notify.sock");
  // Bun has no unix datagram sockets: a socat that is stopped takes what fits into its queue.
  await using socat = await receiver(address);
  socat.kill("SIGSTOP");
  const answers = Array.from({ length: 5000 }, () => sendNotification(address, "STATUS=x\n"));
  expect(answers[0]).toBeNull();
  expect(answers.at(-1)).toMatch(/Resource temporarily unavailable/);
  socat.kill("SIGCONT");
});

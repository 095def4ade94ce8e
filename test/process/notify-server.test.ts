/** What systemd hears of the whole program. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../../bench/kill.ts";
import { monotonicUsec } from "../../src/os/processes/notify.ts";
import { receiver } from "../support/notify-receiver.ts";
import { gunicorn, type ServerOptions, start, until } from "../support/server.ts";

const okApp = `export const fetch = () => Response.json(
  Object.keys(process.env).filter((name) => /^(NOTIFY_|WATCHDOG_)/.test(name)));`;

/** A name that nobody else has: there is no file to clean up. */
const uniqueName = () => `@gunicorn-ts-test-${crypto.randomUUID()}`;

test("READY when a worker serves, RELOADING and READY for HUP, STOPPING for TERM", async () => {
  const address = uniqueName();
  await using socat = await receiver(address);
  await using server = await gunicorn({
    args: ["-w", "2"],
    env: { NOTIFY_SOCKET: address },
    files: { "app.ts": okApp },
  });
  const before = monotonicUsec();
  let heard = await socat.heard(/READY=1\n[^]*STATUS=2 of 2 workers ready\n/);
  // Workers and apps get none of the variables.
  const response = await fetch(server.url, { keepalive: false });
  expect(await response.json()).toEqual([]);

  server.kill("SIGHUP");
  heard = await socat.heard(/READY=1\nSTATUS=2 of 2 workers ready\n/, heard);
  expect(await server.stop("SIGTERM")).toBe(0);
  await socat.heard(/STOPPING=1\nSTATUS=Stopping, workers left: \d\n/, heard);

  const lines = socat.lines;
  expect(lines.filter((line) => !line.startsWith("STATUS="))).toEqual([
    "READY=1",
    "RELOADING=1",
    "MONOTONIC_USEC=N",
    "READY=1",
    "STOPPING=1",
  ]);
  expect(lines.indexOf("READY=1")).toBeGreaterThan(
    lines.indexOf("STATUS=Starting: 0 of 2 workers ready"),
  );
  const [, usec = "0"] = /^MONOTONIC_USEC=(\d+)$/m.exec(socat.text) ?? [];
  expect(BigInt(usec)).toBeGreaterThan(before);
  expect(server.log).not.toContain("NOTIFY_SOCKET");
});

test("a reload that fails ends with READY, and the status says so", async () => {
  const address = uniqueName();
  await using socat = await receiver(address);
  await using server = await gunicorn({
    env: { NOTIFY_SOCKET: address },
    files: { "app.ts": okApp },
  });
  const heard = await socat.heard(/READY=1\n/);
  writeFileSync(join(server.folder, "app.ts"), "throw new Error('broken');");
  server.kill("SIGHUP");
  await socat.heard(
    /RELOADING=1\n[^]*READY=1\nSTATUS=1 of 1 workers ready; the last reload failed, see the log\n/,
    heard,
  );
  expect(await server.stop("SIGTERM")).toBe(0);
});

test("no READY for an app that doesn't boot", async () => {
  const address = uniqueName();
  await using socat = await receiver(address);
  await using server = start({
    env: { NOTIFY_SOCKET: address },
    files: { "app.ts": "throw new Error('broken');" },
  });
  expect(await server.process.exited).toBe(3);
  await socat.heard(/STOPPING=1\n/);
  expect(socat.lines).not.toContain("READY=1");
});

test("beats for the watchdog", async () => {
  const address = uniqueName();
  await using socat = await receiver(address);
  await using server = await gunicorn({
    env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: "200000" },
    files: { "app.ts": okApp },
  });
  await socat.heard(/(WATCHDOG=1\n[^]*){5}/);
  expect(await server.stop("SIGTERM")).toBe(0);
});

test("a socket that isn't there is one warning, and the server serves", async () => {
  const options: ServerOptions = {
    env: { NOTIFY_SOCKET: "/nowhere/notify.sock" },
    files: { "app.ts": okApp },
  };
  await using server = await gunicorn(options);
  expect(await server.stop("SIGTERM")).toBe(0);
  expect(server.log.match(/\[WARNING\] NOTIFY_SOCKET: can't send to/g)).toHaveLength(1);
});

test("USR2: the new master speaks when the old one has named it as the main process", async () => {
  const address = uniqueName();
  await using socat = await receiver(address);
  await using server = await gunicorn({
    env: { NOTIFY_SOCKET: address },
    files: { "app.ts": okApp },
  });
  let heard = await socat.heard(/READY=1\n/);
  const old = server.pid;
  server.kill("SIGUSR2");
  heard = await socat.heard(/new master \(pid:\d+\) beside this one\n/, heard);
  const [, text = ""] = /\(pid:(\d+)\) beside/.exec(socat.text) ?? [];
  const pid = Number(text);
  await server.logged(new RegExp(`\\[${pid}\\] \\[INFO\\] Using worker`));
  process.kill(old, "SIGTERM");
  heard = await socat.heard(new RegExp(`MAINPID=${pid}\nSTATUS=[^\n]*\n`), heard);
  heard = await socat.heard(/READY=1\nSTATUS=1 of 1 workers ready\n/, heard);
  process.kill(pid, "SIGTERM");
  await socat.heard(/STOPPING=1\n/, heard);
  expect(socat.lines.filter((line) => line === "STOPPING=1")).toHaveLength(1);
  await until("the new master's end", () => !isAlive(pid));
});

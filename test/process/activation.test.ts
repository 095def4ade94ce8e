import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../bench/free-port.ts";
import { describeWith } from "../support/peers.ts";
import { gunicorn, type RunningServer, start, until } from "../support/server.ts";

const app = `export const fetch = (request, server) => Response.json({
    env: Object.keys(process.env).filter((name) => name.startsWith("LISTEN_")),
    pid: process.pid, address: server.address,
  });`;

const files = { "app.ts": app };

interface Facts {
  readonly env: readonly string[];
  readonly pid: number;
  readonly address: unknown;
}

/** systemd-socket-activate starts the server when the first connection arrives, which waits for it. */
async function activated(
  sockets: readonly string[],
  args: readonly string[] = ["-w", "2"],
): Promise<RunningServer> {
  const through = ["systemd-socket-activate", ...sockets.flatMap((socket) => ["-l", socket])];
  const server = start({ files, through, args });
  await server.logged(`as ${2 + sockets.length}.`);
  return server;
}

async function ask(url: string, unix?: string): Promise<Facts> {
  const options = unix === undefined ? {} : { unix };
  const response = await fetch(url, { keepalive: false, ...options });
  return (await response.json()) as Facts;
}

describeWith(["systemd-socket-activate"], "sockets of systemd", () => {
  test("take the place of --bind, serve the connection that started it, and outlive reloads", async () => {
    const port = freePort();
    const path = join(mkdtempSync(join(tmpdir(), "gunicorn-ts-systemd-")), "app.sock");
    await using server = await activated([`127.0.0.1:${port}`, path]);
    const first = await ask(`http://127.0.0.1:${port}/`);
    expect(first.env).toEqual([]);
    expect(first.address).toEqual({ address: "127.0.0.1", family: "IPv4", port });
    await server.logged(`Listening at: http://127.0.0.1:${port},unix:${path} (`);
    expect((await ask("http://test/", path)).address).toBe(path);
    const before = await server.settled(2);
    server.kill("SIGHUP");
    await until("all replaced", () => {
      const now = server.workers();
      return now.length === 2 && !now.some((pid) => before.includes(pid));
    });
    expect(before).not.toContain((await ask("http://test/", path)).pid);
    expect(before).not.toContain((await ask(`http://127.0.0.1:${port}/`)).pid);
    expect(await server.stop()).toBe(0);
    expect(existsSync(path)).toBe(true);
    rmSync(path);
  }, 120_000);

  test("aren't for worker class serve", async () => {
    const port = freePort();
    await using server = await activated([`127.0.0.1:${port}`], ["-k", "serve"]);
    const refused = fetch(`http://127.0.0.1:${port}/`).catch(() => "refused");
    expect(await server.process.exited).toBe(1);
    expect(await refused).toBe("refused");
    await server.logged("Error: fd://3: worker class serve can't take over sockets");
  });
});

test("sockets of systemd for another process are ignored, with a warning", async () => {
  await using server = await gunicorn({ files, env: { LISTEN_PID: "1", LISTEN_FDS: "1" } });
  expect(server.log).toMatch(
    /\[WARNING\] Sockets of systemd ignored: LISTEN_PID is 1, and this process is \d+\. Start it directly/,
  );
  expect((await ask(server.url)).env).toEqual([]);
});

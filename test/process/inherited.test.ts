import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Load } from "../support/loads/load.ts";
import { type RunningServer, start, until } from "../support/server.ts";

const app = `export const fetch = (request, server) => {
    const path = request.url.slice(request.url.lastIndexOf("/") + 1);
    if (path === "ok") return new Response("ok");
    Bun.sleepSync(Number(path) || 0);
    return Response.json({
      pid: process.pid, peer: server.requestIP(request), address: server.address,
    });
  };`;

interface Facts {
  readonly pid: number;
  readonly peer: object | null;
  readonly address: object | string;
}

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), "gunicorn-ts-sockets-"));
}

/** A launcher that opens a listening socket, hands it on as fd 3, and holds it: it starts the server again when that ends. */
const launcher = (socket: string) => `
  import { createListeningSocket } from ${JSON.stringify(join(import.meta.dir, "../../src/os/sockets/listening/socket.ts"))};
  import { createUnixSocket } from ${JSON.stringify(join(import.meta.dir, "../../src/os/sockets/listening/unix-socket.ts"))};
  const { fd } = ${socket};
  for (;;) {
    const child = Bun.spawn(process.argv.slice(2), { stdio: ["ignore", "inherit", "inherit", fd] });
    await child.exited;
    console.error("the server ended with " + child.exitCode);
  }`;

function launched(socket: string): RunningServer {
  const folder = newFolder();
  return start({
    folder,
    files: { "app.ts": app, "launch.ts": launcher(socket) },
    bind: ["fd://3"],
    args: ["-w", "2"],
    through: [process.execPath, join(folder, "launch.ts")],
  });
}

const tcpSocket = `createListeningSocket({
    family: 4, hostname: "127.0.0.1", port: 0, backlog: 99, reusePort: false, v6only: false })`;

/** The pid of the latest master. */
function masterOf({ log }: RunningServer): number {
  return Number([...log.matchAll(/\[(\d+)\] \[INFO\] Starting gunicorn-ts/g)].at(-1)?.[1]);
}

describe("bind = fd://N", () => {
  test("a TCP socket of the process that started the server, by all workers and over HUP", async () => {
    await using server = launched(tcpSocket);
    await server.logged("Using worker:");
    const seen = new Set<number>();
    const askAll = async () => {
      const urls = Array.from({ length: 6 }, () => fetch(`${server.url}/10`, { keepalive: false }));
      for (const response of await Promise.all(urls)) {
        seen.add(((await response.json()) as Facts).pid);
      }
    };
    await until("work for both", async () => {
      await askAll();
      return seen.size === 2;
    });
    const before = [...seen];
    server.kill("SIGHUP");
    await until("all replaced", () => !server.workers().some((pid) => before.includes(pid)));
    await askAll();
    server.kill("SIGTERM");
    await server.logged("the server ended with 0");
  });

  test("stop and start under load: what comes meanwhile waits in the socket for the next server", async () => {
    await using server = launched(tcpSocket);
    await server.logged("Using worker:");
    const load = new Load({ port: server.port, fresh: 6, kept: 2, expected: "ok", path: "/ok" });
    for (let round = 0; round < 3; round++) {
      await load.more(100);
      const at = server.log.length;
      process.kill(masterOf(server), "SIGTERM");
      await server.logged("the server ended with 0", at);
      expect(server.log.slice(at)).not.toContain("cut");
      await load.more(100);
    }
    const { failures } = await load.stop();
    expect(failures).toEqual([]);
  }, 120_000);

  test("a unix socket, whose file is the launcher's", async () => {
    const path = join(newFolder(), "held.sock");
    await using server = launched(
      `createUnixSocket({ path: ${JSON.stringify(path)}, backlog: 9, umask: 0, owner: null })`,
    );
    await server.logged(`Listening at: unix:${path} `);
    const { address, peer } = (await (await fetch("http://test/", { unix: path })).json()) as Facts;
    expect([address, peer]).toEqual([path, null]);
    server.kill("SIGTERM");
    await server.logged("the server ended with 0");
    expect(existsSync(path)).toBe(true);
  });
});

/** Websockets of frameworks beside what websocket-apps.test.ts compares: two workers, a worker that leaves, and socket.io. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { freePort } from "../../bench/free-port.ts";
import { gunicorn, start, until } from "../support/server.ts";
import { Client } from "../support/websocket-client.ts";
import { type FrameworkApp, kindsOf } from "./framework-app.ts";
import { needsPackages } from "./installed.ts";
import { isOpen } from "./side-by-side.ts";
import { listeningApps, publishingApps, socketIoApps } from "./websocket-apps.ts";

const cwd = join(import.meta.dir, "apps/websockets");

/** A client, and the process that serves it. */
async function open(url: string): Promise<{ client: Client; pid: string }> {
  const client = new Client(`${url}/ws`);
  await until("it to open", () => client.isOpen);
  client.send("pid");
  await until("an answer", () => client.heard.length > 0);
  return { client, pid: client.heard.pop()! };
}

function serve(file: string, kind: string, port: number, ...args: readonly string[]) {
  const env = { PORT: String(port), NODE_ENV: "production" };
  return gunicorn({ app: file, args: ["-k", kind, ...args], env, cwd });
}

function onKinds(apps: readonly FrameworkApp[]): [name: string, kind: string, file: string][] {
  return apps.flatMap((app) =>
    kindsOf(app).map((kind): [string, string, string] => [app.name, kind, app.file]),
  );
}

/** What two clients of socket.io see, until the server leaves. */
async function watch(url: string, transports: string, end: () => void): Promise<unknown> {
  const words = ["socket-io-client.js", url, transports];
  await using peer = Bun.spawn([process.execPath, ...words], { cwd, stdio: ["ignore", "pipe", 2] });
  let said = "";
  const collected = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of peer.stdout) said += decoder.decode(chunk, { stream: true });
  })();
  await until("what the clients see", () => said.includes("\n"));
  const [seen = ""] = said.split("\n", 1);
  end();
  await collected;
  expect(said.slice(seen.length)).toBe("\nclosed\n");
  return JSON.parse(seen);
}

async function watchNatively(file: string, transports: string): Promise<unknown> {
  const port = freePort();
  const env = { PORT: String(port), NODE_ENV: "production" };
  await using server = start({ program: file, bind: [], app: null, env, cwd });
  await until(`bun ${file} to listen; log:\n${server.log}`, () => isOpen(port));
  return await watch(`http://127.0.0.1:${port}`, transports, () => server.process.kill());
}

describe.skipIf(needsPackages !== "")(`websockets${needsPackages}`, () => {
  test.each(onKinds(publishingApps))(
    "%s on %s publishes to all workers, which leave with 1001",
    async (_name, kind, file) => {
      await using server = await serve(file, kind, freePort(), "-w", "2");
      await server.settled(2);
      const clients: Client[] = [];
      const pids = new Set<string>();
      await until("clients of two workers", async () => {
        const { client, pid } = await open(server.url);
        clients.push(client);
        return pids.add(pid).size === 2;
      });
      const [sender, ...others] = clients as [Client, ...Client[]];
      sender.send("broadcast");
      for (const other of others) await other.hears("broadcast");
      expect(await server.stop()).toBe(0);
      expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(
        clients.map(() => 1001),
      );
      expect(others.map(({ heard }) => heard)).toEqual(others.map(() => ["broadcast"]));
      expect(sender.heard).toEqual([]);
      expect(server.log).not.toContain("graceful_timeout");
    },
    120_000,
  );

  test.each(onKinds(listeningApps))(
    "%s on %s ends with a client",
    async (_name, kind, file) => {
      await using server = await serve(file, kind, freePort());
      const { client } = await open(server.url);
      expect(await server.stop()).toBe(0);
      await client.closed;
      expect(server.log).not.toContain("graceful_timeout");
    },
    120_000,
  );

  const transports = ["websocket", "polling,websocket", "polling"];
  test.each(
    onKinds(socketIoApps).flatMap(([name, kind, file]) =>
      transports.map((by) => [name, kind, by, file] as const),
    ),
  )(
    "%s on %s by %s is as natively",
    async (_name, kind, by, file) => {
      const there = watchNatively(file, by);
      const port = freePort();
      // A poll that waits for news is a request under way.
      await using server = await serve(file, kind, port, "--graceful-timeout", "2");
      const here = await watch(server.url, by, () => server.kill("SIGTERM"));
      expect(here).toEqual(await there);
      expect(await server.process.exited).toBe(0);
      expect(server.log).not.toContain("port of its own");
    },
    120_000,
  );
});

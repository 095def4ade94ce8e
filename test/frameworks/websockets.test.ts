/** Websockets of frameworks: what two clients see of each app, natively and here. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { freePort } from "../../bench/free-port.ts";
import { gunicorn, start, until } from "../support/server.ts";
import { Client } from "../support/websocket-client.ts";
import { needsPackages } from "./installed.ts";

const cwd = join(import.meta.dir, "apps/websockets");

/** All that is to be seen; welcomes name the process. */
async function watch(url: string): Promise<unknown> {
  const [one, other] = [new Client(`${url}/ws`, ["chat"]), new Client(`${url}/ws`)];
  await until("two welcomes", () => one.heard.length > 0 && other.heard.length > 0);
  for (const [order, heard] of [
    ["echo:h\u00e9llo", "h\u00e9llo"],
    [new Uint8Array([1, 0, 255]), "bytes 1,0,255"],
    [`echo:${"x".repeat(100_000)}`, "x".repeat(100_000)],
  ] as const) {
    one.send(order);
    await one.hears(heard);
  }
  one.send("all:to all");
  await other.hears("to all");
  one.send("bye");
  const code = await one.closed;
  const response = await fetch(`${url}/plain`, { keepalive: false });
  const plain = `${response.status} ${await response.text()}`;
  other.send("echo:still here");
  await other.hears("still here");
  const shown = [one, other].map(({ heard }) => heard.map((text) => text.replace(/\d+$/, "N")));
  return { protocol: one.protocol, heard: shown, code, plain };
}

type Look = (url: string, end: () => void) => Promise<unknown>;

async function native(file: string, look: Look): Promise<unknown> {
  const port = freePort();
  const env = { PORT: String(port), NODE_ENV: "production" };
  await using server = start({ program: file, bind: [], app: null, env, cwd });
  const url = `http://127.0.0.1:${port}`;
  await until(`bun ${file} to listen; log:\n${server.log}`, () =>
    fetch(`${url}/plain`, { keepalive: false }).then(
      () => true,
      () => false,
    ),
  );
  return await look(url, () => server.process.kill());
}

function serve(file: string, kind: string, ...args: readonly string[]) {
  const env = { PORT: String(freePort()), NODE_ENV: "production" };
  return gunicorn({ app: file, args: ["-k", kind, ...args], env, cwd });
}

const ofBun = ["bun-serve.ts", "hono.ts", "elysia.ts", "crossws.ts", "h3.ts"];
const ofNode = ["ws.ts", "fastify.ts"];
const rows = [
  ...ofBun.flatMap((file) => [[file, "async"] as const, [file, "serve"] as const]),
  ...ofNode.map((file) => [file, "async"] as const),
];

/** What two clients of socket.io see, until the server leaves. */
async function watchSocketIo(url: string, transports: string, end: () => void): Promise<unknown> {
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

const bySocketIo = ["websocket", "polling,websocket", "polling"].flatMap((transports) => [
  ["socket-io.ts", "async", transports] as const,
  ["socket-io-bun.ts", "async", transports] as const,
  ["socket-io-bun.ts", "serve", transports] as const,
]);

describe.skipIf(needsPackages !== "")(`websockets${needsPackages}`, () => {
  test.each(rows)(
    "%s on %s is as natively",
    async (file, kind) => {
      await using server = await serve(file, kind);
      expect(await watch(server.url)).toEqual(await native(file, watch));
      const left = new Client(`${server.url}/ws`);
      await until("a welcome", () => left.heard.length > 0);
      expect(await server.stop()).toBe(0);
      expect(ofNode.includes(file) || (await left.closed)).toBe(ofNode.includes(file) || 1001);
      expect(server.log).not.toContain("graceful_timeout");
    },
    120_000,
  );

  test.each(ofBun.flatMap((file) => [[file, "async"] as const, [file, "serve"] as const]))(
    "%s on %s publishes to all workers",
    async (file, kind) => {
      await using server = await serve(file, kind, "-w", "2");
      await server.settled(2);
      const clients: Client[] = [];
      await until("clients of two workers", async () => {
        const client = new Client(`${server.url}/ws`);
        clients.push(client);
        await until("a welcome", () => client.heard.length > 0);
        return new Set(clients.map(({ heard }) => heard[0])).size === 2;
      });
      const [sender, ...others] = clients as [Client, ...Client[]];
      sender.send("all:to all");
      for (const other of others) await other.hears("to all");
      expect(others.map(({ heard }) => heard.slice(1))).toEqual(others.map(() => ["to all"]));
      expect(sender.heard).toHaveLength(1);
    },
    120_000,
  );

  const asNatively = async (file: string, kind: string, transports: string) => {
    const there = native(file, (url, end) => watchSocketIo(url, transports, end));
    // A poll that waits for news is a request under way.
    await using server = await serve(file, kind, "--graceful-timeout", "2");
    const here = await watchSocketIo(server.url, transports, () => server.kill("SIGTERM"));
    expect(here).toEqual(await there);
    expect(await server.process.exited).toBe(0);
  };
  test.each(bySocketIo)("%s on %s by %s is as natively", asNatively, 120_000);
});

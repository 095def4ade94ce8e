/** A worker that has no descriptor left: whoever asks for an upgrade is refused, and the server goes on for others. */
import { describe, expect, test } from "bun:test";
import { handshake } from "../support/frames.ts";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn, type RunningServer } from "../support/server.ts";
import { get } from "../support/wire.ts";

const apps = {
  "handlers of Bun.serve": `export default {
    fetch(request, server) {
      if (server.upgrade(request)) return;
      return new Response("plain");
    },
    websocket: { message() {} },
  };`,
  "a listener of node:http": `import { createServer } from "node:http";
    const server = createServer((request, response) => void response.end("plain"));
    server.on("upgrade", (request, socket) =>
      void socket.write("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n"));
    export default server;`,
};

/** More than a worker has by itself, and not many more: each websocket takes three. */
const limit = 120;

const limited = (app: string): Promise<RunningServer> =>
  gunicorn({
    files: { "app.ts": app },
    args: ["--keep-alive", "60"],
    through: ["sh", "-c", `ulimit -n ${limit}; exec "$0" "$@"`],
  });

const crowded = /\[ERROR\] Can't open a connection inside of this worker: no descriptor is free/;

async function statusOf(client: RawClient): Promise<number> {
  return (await client.answer()).status;
}

describe.each(Object.entries(apps))("%s", (_claim, app) => {
  test("an upgrade gets 503 when few are left, and others their answers", async () => {
    await using server = await limited(app);
    using stack = new DisposableStack();
    const clients: RawClient[] = [];
    let status = 101;
    while (status === 101 && clients.length < limit / 3) {
      const client = stack.use(await RawClient.connect(server.port));
      clients.push(client);
      client.send(handshake("/"));
      status = await statusOf(client);
    }
    expect(status).toBe(503);
    expect(clients.length).toBeGreaterThan(3);
    expect(["fin", "reset"]).toContain(await clients.at(-1)!.ended());
    using plain = await RawClient.connect(server.port);
    expect((await plain.ask(get("/"))).body.toString()).toBe("plain");
    for (const client of clients.slice(0, 3)) client.reset();
    // The worker hears of it in its own time.
    for (status = 503; status === 503;) {
      using again = await RawClient.connect(server.port);
      again.send(handshake("/"));
      status = await statusOf(again);
    }
    expect(status).toBe(101);
    await server.logged(crowded);
    expect(server.log).not.toMatch(/^ {4}at /m);
    plain[Symbol.dispose]();
    stack.dispose();
    expect(await server.stop()).toBe(0);
  }, 60_000);

  test("of a crowd each gets an answer", async () => {
    await using server = await limited(app);
    using stack = new DisposableStack();
    const clients: RawClient[] = [];
    // Too many for all of them to have what an upgrade takes, and few enough to be accepted.
    for (let count = 0; count < 40; count += 1) {
      const client = stack.use(await RawClient.connect(server.port));
      expect((await client.ask(get("/"))).status).toBe(200);
      clients.push(client);
    }
    for (const client of clients) client.send(handshake("/"));
    const statuses = await Promise.all(clients.map(statusOf));
    expect(new Set(statuses).difference(new Set([101, 503]))).toEqual(new Set());
    expect(statuses).toContain(503);
    using plain = await RawClient.connect(server.port);
    expect((await plain.ask(get("/"))).body.toString()).toBe("plain");
    expect(server.log).not.toMatch(/^ {4}at /m);
    expect(server.log).not.toContain("asks to be replaced");
    plain[Symbol.dispose]();
    stack.dispose();
    expect(await server.stop()).toBe(0);
  }, 60_000);
});

/** How an app comes to websockets, by worker class. */
import { expect, test } from "bun:test";
import { gunicorn, start } from "../support/server.ts";
import { Client } from "../support/websocket-client.ts";

const handlers = `{
  open(socket) { socket.subscribe("room"); socket.send("hello " + JSON.stringify(socket.data)); },
  message(socket, message) { server?.publish("room", message); },
}`;

const fetches = `(request, given) => {
  if (given.upgrade(request, { data: { a: 1 } })) return;
  return new Response(given.pendingWebSockets + " of " + given.subscriberCount("room"));
}`;

const shapes: [claim: string, app: string][] = [
  [
    "exported options",
    `let server; export default { fetch: (request, given) => { server = given; return (${fetches})(request, given); }, websocket: ${handlers} };`,
  ],
  [
    "Bun.serve",
    `const server = Bun.serve({ port: 1, fetch: ${fetches}, websocket: ${handlers} });`,
  ],
  [
    "serve of bun",
    `import { serve } from "bun"; const server = serve({ port: 1, fetch: ${fetches}, websocket: ${handlers} });`,
  ],
  [
    "an async fetch",
    `const server = Bun.serve({ port: 1, fetch: async (request, given) => { await Bun.sleep(5); return (${fetches})(request, given); }, websocket: ${handlers} });`,
  ],
];

test.each(shapes)("-k async: websockets of %s", async (_claim, app) => {
  await using server = await gunicorn({ files: { "app.ts": app }, args: ["-k", "async"] });
  const client = new Client(server.url);
  await client.hears('hello {"a":1}');
  client.send("to all");
  await client.hears("to all");
  expect(await (await fetch(server.url)).text()).toBe("1 of 1");
  expect(await server.stop()).toBe(0);
  expect(await client.closed).toBe(1001);
});

/** A handshake by fetch: the client knows no websockets. */
async function handshake(url: string): Promise<Response> {
  const headers = {
    upgrade: "websocket",
    connection: "upgrade",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
  };
  return fetch(url, { headers, keepalive: false });
}

test("-k async: without handlers upgrade() throws what Bun's throws", async () => {
  const app = `export default (request, server) => new Response(String(server.upgrade(request)));`;
  await using server = await gunicorn({ files: { "app.ts": app } });
  expect(await (await fetch(server.url)).text()).toBe("false");
  expect((await handshake(server.url)).status).toBe(500);
  await server.logged('To enable websocket support, set the "websocket" object in Bun.serve({})');
});

test("-k async: handlers that Bun.serve refuses end the start", async () => {
  const app = `export default { fetch: () => new Response(), websocket: { message: 1 } };`;
  await using server = start({ files: { "app.ts": app } });
  expect(await server.process.exited).toBe(3);
  expect(server.log).toContain("websocket");
});

test("-k sync refuses exported handlers, with a sentence", async () => {
  const app = `export default { fetch: () => new Response(), websocket: { message() {} } };`;
  await using server = start({ files: { "app.ts": app }, args: ["-k", "sync"] });
  expect(await server.process.exited).toBe(4);
  await server.logged(
    "a websocket would keep the worker from all other requests, use --worker-class async",
  );
});

test("-k sync refuses upgrade() of an app that calls Bun.serve, with a sentence", async () => {
  const app = `Bun.serve({ port: 1, fetch: ${fetches}, websocket: { message() {} } });`;
  await using server = await gunicorn({ files: { "app.ts": app }, args: ["-k", "sync"] });
  expect((await handshake(server.url)).status).toBe(500);
  await server.logged(
    "server.upgrade() is not supported by --worker-class sync: a websocket would keep the worker from all other requests, use --worker-class async",
  );
  expect(await (await fetch(server.url)).text()).toBe("0 of 0");
});

/** How an app comes to websockets, by worker class. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { bareServer } from "../support/bare.ts";
import { descriptorsOf, nameless } from "../support/descriptors.ts";
import { handshake } from "../support/frames.ts";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn, start, until } from "../support/server.ts";
import { Client } from "../support/websocket-client.ts";
import { get } from "../support/wire.ts";

setDefaultTimeout(60_000);

const handlers = `{
  open(socket) { socket.subscribe("room"); socket.send("hello " + JSON.stringify(socket.data)); },
  message(socket, message) { server?.publish("room", message); },
}`;

const fetches = `(request, given) => {
  if (given.upgrade(request, { data: { a: 1 } })) return;
  return new Response(given.pendingWebSockets + " of " + given.subscriberCount("room"));
}`;

/** Keeps the server that a fetch is given, for the handlers. */
const named = (fetch: string) =>
  `let server; export const fetch = (request, given) => { server = given; return (${fetch})(request, given); };`;

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
  [
    "a route",
    `let server; export default {
    routes: { "/": { GET: (request, given) => { server = given; return (${fetches})(request, given); } } },
    websocket: ${handlers},
  };`,
  ],
  ["exports by name", `${named(fetches)} export const websocket = ${handlers};`],
  [
    "an export by name, beside a framework's app",
    `${named(fetches)} export const websocket = ${handlers};
  class App { fetch = fetch }; export default new App();`,
  ],
  [
    "an export by name, beside a function",
    `${named(fetches)} export const websocket = ${handlers}; export default (...args) => fetch(...args);`,
  ],
];

const onKinds = ["async", "serve"].flatMap((kind) =>
  shapes.map(([claim, app]) => [kind, claim, app] as const),
);

test.each(onKinds)("-k %s: websockets of %s", async (kind, _claim, app) => {
  await using server = await gunicorn({ files: { "app.ts": app }, args: ["-k", kind] });
  const client = new Client(server.url);
  await client.hears('hello {"a":1}');
  client.send("to all");
  await client.hears("to all");
  expect(await (await fetch(server.url)).text()).toBe("1 of 1");
  expect(await server.stop()).toBe(0);
  expect(await client.closed).toBe(1001);
});

const reloading = `
const handlers = (name) => ({
  open: (socket) => void socket.send("open " + name),
  message(socket, order) {
    try {
      if (order === "reload") server.reload(options("two", true));
      if (order === "keep") server.reload(options("three", false));
      if (order === "spoil") server.reload({ ...options("four", false), websocket: { message: 5 } });
      if (order === "throw") throw new Error("of " + name);
      socket.send(name + " " + order);
    } catch (error) {
      if (order === "throw") throw error;
      socket.send(error.name);
    }
  },
});
const options = (name, changes) => ({
  fetch: (request, given) => given.upgrade(request) ? undefined : new Response(name),
  ...(changes ? { websocket: handlers(name) } : {}),
});
const server = Bun.serve({ port: process.env.PORT, hostname: "127.0.0.1", ...options("one", true) });
console.log("port", server.port);
`;

/** What two clients hear of it. */
async function reload(url: string): Promise<unknown> {
  const first = new Client(url);
  await first.hears("open one");
  for (const order of ["hi", "reload", "ho", "keep", "hey", "spoil", "still"]) {
    first.send(order);
    const heard = first.heard.length;
    await until("an answer", () => first.heard.length > heard);
  }
  const second = new Client(url);
  await until("a welcome", () => second.heard.length > 0);
  const text = await (await fetch(url, { keepalive: false })).text();
  return [first.heard, second.heard, text];
}

test.each(["async", "serve"])(
  "-k %s: server.reload() changes the handlers as with Bun",
  async (workerClass) => {
    await using server = await gunicorn({
      files: { "app.ts": reloading },
      args: ["-k", workerClass],
    });
    await using bare = await bareServer(`${server.folder}/app.ts`);
    const ours = await reload(server.url);
    expect(ours).toEqual(await reload(`http://127.0.0.1:${bare.port}`));
    expect(ours).toEqual([
      [
        "open one",
        "one hi",
        "one reload",
        "two ho",
        "two keep",
        "two hey",
        "TypeError",
        "two still",
      ],
      ["open two"],
      "three",
    ]);
    // They are guarded too, and their clients told when the worker leaves.
    const [bad, good] = [new Client(server.url), new Client(server.url)];
    await good.hears("open two");
    await bad.hears("open two");
    bad.send("throw");
    expect(await bad.closed).toBe(1011);
    expect(await server.stop()).toBe(0);
    expect(await good.closed).toBe(1001);
  },
);

test.each(["async", "serve"])(
  "-k %s: server.reload() can't add handlers where there were none, and says so",
  async (workerClass) => {
    const app = `const server = Bun.serve({ port: 1, fetch() {
      try { server.reload({ fetch: () => new Response("new"), websocket: { message() {} } }); }
      catch (error) { return new Response(error.message); }
    } });`;
    await using server = await gunicorn({ files: { "app.ts": app }, args: ["-k", workerClass] });
    for (let count = 0; count < 2; count += 1) {
      expect(await (await fetch(server.url)).text()).toBe(
        "server.reload() can't add websocket handlers: call Bun.serve with some",
      );
    }
  },
);

test("-k async: hooks see an upgrade as a request with status 101", async () => {
  const conf = `export default {
    preRequest: (worker, { path }) => worker.log.info("before " + path),
    postRequest: (worker, { path }, environ, response) => worker.log.info("behind " + path + " " + response.status),
  };`;
  const app = `export default { fetch: ${fetches}, websocket: { message() {} } };`;
  await using server = await gunicorn({ files: { "app.ts": app, "gunicorn.conf.ts": conf } });
  const client = new Client(`${server.url}/socket`);
  await server.logged("before /socket");
  await server.logged("behind /socket 101");
  expect(await server.stop()).toBe(0);
  expect(await client.closed).toBe(1001);
});

/** A handshake by fetch: the client knows no websockets. */
async function shakeHands(url: string): Promise<Response> {
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
  expect((await shakeHands(server.url)).status).toBe(500);
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
  expect((await shakeHands(server.url)).status).toBe(500);
  await server.logged(
    "server.upgrade() is not supported by --worker-class sync: a websocket would keep the worker from all other requests, use --worker-class async",
  );
  expect(await (await fetch(server.url)).text()).toBe("0 of 0");
});

test("-k async: nobody finds the socket inside of a worker by a name, and its user is refused", async () => {
  const app = `export default { fetch: ${fetches}, websocket: { message() {} } };`;
  await using server = await gunicorn({ files: { "app.ts": app } });
  const [worker = 0] = await server.settled(1);
  // While other sockets come and go, a look into the table can miss one.
  const names = await until("its listening socket", () => listening(worker));
  expect(names.map((name) => existsSync(name))).toEqual([false]);
  const requests = [
    handshake("/"),
    handshake("/", "X-Upgrade-Token: 5b2b1a44-5a67-4f0e-9d5c-7d5d2d6ad0a5"),
    get("/"),
  ];
  for (const request of requests) {
    using stranger = await RawClient.connect({ unix: nameless(worker) });
    const answer = await stranger.ask(request);
    expect([answer.status, answer.body.length]).toEqual([403, 0]);
    expect(await stranger.ended()).toBe("fin");
  }
  expect(await (await fetch(server.url)).text()).toBe("0 of 0");
});

/** The unix sockets that a process listens on, by proc(5), if any; an abstract one begins with @. */
function listening(pid: number): string[] | null {
  const inodes = descriptorsOf(pid).map(([, what]) => /^socket:\[(\d+)\]$/.exec(what)?.[1]);
  const names = readFileSync("/proc/net/unix", "latin1")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , flags, , , inode]) => flags === "00010000" && inodes.includes(inode ?? ""))
    .map((columns) => String(columns[7]));
  return names.length === 0 ? null : names;
}

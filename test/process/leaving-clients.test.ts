/** A client that leaves before it has its answer takes nothing from anybody else: no bytes, no descriptor. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { pattern } from "../fixtures/leaving/app.ts";
import { descriptorsOf } from "../support/descriptors.ts";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn, until } from "../support/server.ts";

setDefaultTimeout(120_000);

const app = await Bun.file(join(import.meta.dir, "../fixtures/leaving/app.ts")).text();

const leavers = 4;
const readers = 4;
const leavesEach = 30;
const leftAfterBytes = 150_000;

/** What is left behind, and what others ask for meanwhile. */
const mixes: [what: string, left: readonly string[], wanted: readonly string[]][] = [
  ["files", ["/file/40000000"], ["/file/300000", "/own/5000", "/hello", "/file/1000/small"]],
  [
    "files under other wrappings",
    ["/slice/20000000", "/rewrapped/20000000", "/clone/3000000"],
    ["/slice/300000", "/rewrapped/300000", "/own/5000", "/hello"],
  ],
  [
    "bodies in memory",
    ["/bytes/3000000", "/text/3000000", "/blob/3000000", "/rewrapped-bytes/3000000"],
    ["/bytes/300000", "/text/300000", "/blob/300000", "/bytes/30000", "/text/30000", "/hello"],
  ],
  [
    "bodies in memory that many share",
    ["/shared-bytes/200000", "/shared-blob/200000", "/shared-clone/200000", "/shared-part/3000000"],
    [
      "/shared-bytes/200000",
      "/shared-blob/200000",
      "/shared-clone/200000",
      "/shared-part/3000000",
      "/shared-part/100000",
      "/hello",
    ],
  ],
  [
    "streams",
    ["/stream/5000000", "/source/5000000", "/file/40000000"],
    ["/stream/300000", "/source/300000", "/bytes/100000", "/clone/100000", "/hello"],
  ],
];

const departures: [how: string, leave: (client: RawClient) => void][] = [
  ["FIN", (client) => client[Symbol.dispose]()],
  ["RST", (client) => client.reset()],
];

/** Asks, reads as much, and is gone. What has come must be right, too. */
async function leaveEarly(
  port: number,
  path: string,
  readBytes: number,
  leave: (client: RawClient) => void,
) {
  const client = await RawClient.connect(port);
  client.send(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
  if (readBytes > 0) {
    const seen = await client.peek(readBytes);
    client.pause();
    if (!/^\/(stream|source)/.test(path)) {
      const body = seen.slice(seen.indexOf("\r\n\r\n") + 4);
      expect(body === pattern(path, body.length).toString()).toBe(true);
    }
  }
  leave(client);
}

/** What the descriptors of a process are of. */
function openedBy(pid: number): string[] {
  return descriptorsOf(pid).map(([, what]) => what);
}

function expectBody(path: string, body: Buffer): void {
  const size = Number(path.split("/")[2] ?? path.length);
  expect([path, body.length]).toEqual([path, size]);
  expect(body.equals(pattern(path, size))).toBe(true);
}

describe.each(mixes)("%s", (_, left, wanted) => {
  test.each(departures)("by %s", async (_how, leave) => {
    await using server = await gunicorn({ files: { "app.ts": app } });
    const { port } = server;
    const [pid = 0] = server.workers();
    const descriptors = () => openedBy(pid);
    // Each once, so that whatever is opened once is open.
    for (const path of [...left, ...wanted])
      await (await fetch(`${server.url}${path}`, { keepalive: false })).bytes();
    const before = descriptors().length;

    const leaving = new Set<number>();
    const leaver = async (number: number) => {
      leaving.add(number);
      for (let round = 0; round < leavesEach; round++) {
        const path = left[round % left.length]!;
        await leaveEarly(port, path, (round + number) % 2 === 0 ? leftAfterBytes : 0, leave);
      }
      leaving.delete(number);
    };
    const reader = async (number: number) => {
      using client = await RawClient.connect(port);
      for (let round = number; leaving.size > 0; round++) {
        const path = wanted[round % wanted.length]!;
        const answer = await client.ask(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
        const status = path.startsWith("/slice/") ? 206 : 200;
        expect([path, answer.status, answer.complete]).toEqual([path, status, true]);
        expectBody(path, answer.body);
      }
    };
    const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
    await Promise.all([...numbers(leavers).map(leaver), ...numbers(readers).map(reader)]);

    await until("the descriptors to be as many as before, and none of a file", () => {
      const open = descriptors();
      return open.length <= before && !open.some((path) => /\/[a-z-]+-\d+$/.test(path));
    });
    expect(server.workers()).toEqual([pid]);
    expect(server.log).not.toContain("[ERROR]");
  });
});

/** What an app is doing when its client leaves with half a body sent. None of it is the app's fault. */
const leftAlone: [what: string, app: string][] = [
  [
    "reads the body at once",
    `export const fetch = async (request) => {
       console.log("asked");
       return new Response(await request.text());
     };`,
  ],
  [
    "reads the body as a stream",
    `export const fetch = async (request) => {
       console.log("asked");
       if (request.method === "GET") return new Response();
       for await (const chunk of request.body) void chunk;
       return new Response();
     };`,
  ],
  [
    "reads it in a route",
    `const POST = async (request) => {
       console.log("asked");
       return Response.json(await request.json());
     };
     export default { routes: { "/": { POST } } };`,
  ],
  [
    "waits for the signal",
    `export const fetch = ({ method, signal }) => new Promise((resolve, reject) => {
       console.log("asked");
       if (method === "GET") resolve(new Response());
       signal.addEventListener("abort", () => reject(signal.reason));
     });`,
  ],
  [
    "is a node listener",
    `export default (req, res) => {
       console.log("asked");
       req.resume().on("end", () => res.end());
     };`,
  ],
];

describe.each(["async", "sync", "serve"])("-k %s", (kind) => {
  test.each(leftAlone)("a client that leaves an app that %s is no error", async (_what, app) => {
    const args = ["-k", kind, "--access-logfile", "-"];
    await using server = await gunicorn({ files: { "app.ts": app }, app: "app", args });
    await server.settled(1);
    const client = await RawClient.connect(server.port);
    // What the request of the start has led to.
    const before = await server.logged(/"GET \/ HTTP\/1\.1" \d+ /);
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{");
    await server.logged("asked", before);
    client.reset();
    await server.logged(/"POST \/ HTTP\/1\.1" 499 /);
    expect(await server.stop()).toBe(0);
    expect(server.log).not.toContain("[ERROR]");
  });

  test("what aborts while the client is there is one", async () => {
    const app = "export const fetch = () => { throw new DOMException('mine', 'AbortError'); };";
    const args = ["-k", kind];
    await using server = await gunicorn({ files: { "app.ts": app }, app: "app", args });
    expect((await fetch(server.url)).status).toBe(500);
    await server.logged(/Error handling request GET \/\nAbortError: mine/);
    expect(await server.stop()).toBe(0);
  });
});

// Its address is gone with the connection, as if it were on a unix socket, whose peers are trusted.
test("who has reset a connection before it was accepted isn't trusted", async () => {
  const app = `
    import { existsSync } from "node:fs";
    export const fetch = (request) => {
      console.log("asked for", request.url);
      if (request.url.endsWith("/busy")) while (!existsSync("left")) Bun.sleepSync(5);
      return new Response();
    };`;
  const args = ["--forwarded-allow-ips", "192.0.2.1"];
  await using server = await gunicorn({ files: { "app.ts": app }, app: "app", args });
  const ask = (path: string) =>
    `GET ${path} HTTP/1.1\r\nHost: h\r\nX-Forwarded-Proto: https\r\n\r\n`;
  using busy = await RawClient.connect(server.port);
  busy.send(ask("/busy"));
  await server.logged("/busy");
  const stranger = await RawClient.connect(server.port);
  stranger.send(ask("/stranger"));
  stranger.reset();
  await Bun.write(join(server.folder, "left"), "");
  await server.logged(/asked for http:.*\/stranger/);
});

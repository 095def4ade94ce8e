/**
 * A listener of node:http, served by us and by node:http itself, asked in the same bytes: what comes back is the same, but for
 * the fields that each server says of itself.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import nodeApp from "../support/node-app.ts";
import { type Answer, RawClient } from "../support/raw-client.ts";
import { gunicorn, type RunningServer, until } from "../support/server.ts";

let server: RunningServer;
let secured: RunningServer;
let barePort: number;

beforeAll(async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  nodeApp.listen(0, "127.0.0.1", resolve);
  await promise;
  barePort = (nodeApp.address() as AddressInfo).port;
  const options = {
    app: join(import.meta.dir, "../support/node-app.ts"),
    args: ["-w", "1", "--asgi-disconnect-grace-period", "300", "--keep-alive", "300"],
  };
  server = await gunicorn(options);
  secured = await gunicorn({ ...options, secure: true });
}, 120_000);

afterAll(async () => {
  nodeApp.closeAllConnections();
  nodeApp.close();
  for (const ours of [server, secured]) {
    expect(await ours.stop()).toBe(0);
    expect(ours.log).not.toContain("ERROR");
    await ours[Symbol.asyncDispose]();
  }
}, 120_000);

/** Fields of the server, not of the app; those that frame the body are in `framing`. */
const own = new Set([
  "server",
  "date",
  "connection",
  "keep-alive",
  "content-length",
  "transfer-encoding",
]);

function shown(answer: Answer): object {
  const { status, reason, fields, framing, body, complete, trailers } = answer;
  const told = fields
    .map(([name, value]) => [name.toLowerCase(), value])
    .filter(([name = ""]) => !own.has(name))
    .map((pair) => pair.join(": "));
  const text = body.toString("latin1");
  return { status, reason, fields: told.sort(), framing, body: text, complete, trailers };
}

const get = (path: string, ...lines: string[]): string =>
  `GET ${path} HTTP/1.1\r\n${["Host: x", ...lines].join("\r\n")}\r\n\r\n`;
const post = (path: string, body: string, ...lines: string[]): string =>
  `POST ${path} HTTP/1.1\r\n${["Host: x", `Content-Length: ${body.length}`, ...lines].join("\r\n")}\r\n\r\n${body}`;

const head = (path: string): string => `HEAD ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const chunkedWith = (trailers: string): string =>
  `POST /got-trailers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\n${trailers}\r\n`;

interface Row {
  readonly bytes: string;
  /** Methods of the requests, in order; one GET if there is nothing else to say. */
  readonly methods?: readonly string[];
  /** Interim answers come before the last one. */
  readonly interim?: number;
  /** What is otherwise with us, and why; the rest is compared. */
  readonly differs?: keyof typeof differences;
}

/** What isn't compared. */
const differences = {
  /** It is known, where node:http sends chunks, or ends the connection. */
  "a length": ["framing"],
  /** Nothing is announced that won't come. */
  "a name": ["fields"],
} as const;

const large = "0123456789".repeat(300_000);

const rows: Readonly<Record<string, Row>> = {
  "facts of a request": {
    bytes: get(
      "/facts?a=%20&b",
      "X-One: 1",
      "x-one: 2",
      "Cookie: a=1",
      "cookie: b=2",
      "Accept: */*",
      "X-Latin: \xe9",
    ),
  },
  "facts by HTTP/1.0": {
    bytes: "GET /facts HTTP/1.0\r\nHost: x\r\n\r\n",
    differs: "a length",
  },
  "a target with an authority": { bytes: get("http://x/facts?q") },
  "a reason": { bytes: get("/reasons"), differs: "a length" },
  "fields in a list": { bytes: get("/raw-list"), differs: "a length" },
  "repeated fields": { bytes: get("/cookies") },
  "no body": { bytes: get("/empty") },
  "status 204": { bytes: get("/no-content") },
  "status 304": { bytes: get("/not-modified") },
  "HEAD with a length": {
    bytes: "HEAD /length-of-head HTTP/1.1\r\nHost: x\r\n\r\n",
    methods: ["HEAD"],
  },
  "HEAD without": { bytes: "HEAD /utf8 HTTP/1.1\r\nHost: x\r\n\r\n", methods: ["HEAD"] },
  "a text in Latin-1": { bytes: get("/latin") },
  "a text in UTF-8": { bytes: get("/utf8") },
  "bytes in base64": { bytes: get("/base64") },
  bytes: { bytes: get("/bytes") },
  "views of bytes": { bytes: get("/views") },
  "a view of bytes": { bytes: get("/view") },
  "what is neither text nor bytes": { bytes: get("/no-bytes"), differs: "a length" },
  "a strict length that is kept": { bytes: get("/strict?part=3&part=a&part=bc") },
  parts: { bytes: get("/parts") },
  "parts by HTTP/1.0": { bytes: "GET /parts HTTP/1.0\r\nHost: x\r\n\r\n" },
  "parts of a stated length": { bytes: get("/parts-of-a-length") },
  "a head that goes first": { bytes: get("/flushed") },
  "a buffer that is used again": { bytes: get("/used-buffer") },
  "an end of the connection that the app asks for": { bytes: get("/closes") },
  "one that the client asks for": { bytes: get("/utf8", "Connection: close") },
  "an answer that is cut inside": { bytes: get("/cut-inside") },
  "an upload": { bytes: post("/count", "hello") },
  "an upload by GET": { bytes: get("/count", "Content-Length: 5") + "hello" },
  "a large upload that is paused": { bytes: post("/count", large) },
  "a body that comes back": { bytes: post("/echo", large) },
  "a body in chunks": {
    bytes: `POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n`,
  },
  "a body that nobody reads, and the next request": {
    bytes: post("/unread", "12345") + get("/utf8"),
    methods: ["POST", "GET"],
  },
  "requests in one packet, answered in turn": {
    bytes:
      get("/later?ms=40") +
      get("/later?ms=1") +
      get("/utf8") +
      post("/count", "abc") +
      get("/empty"),
    methods: ["GET", "GET", "GET", "POST", "GET"],
  },
  trailers: { bytes: get("/trailers") },
  "trailers that come later": {
    bytes: get("/trailers-later") + get("/utf8"),
    methods: ["GET", "GET"],
  },
  "trailers of a whole body": { bytes: get("/trailers-at-once") },
  "trailers where there are no chunks": { bytes: get("/trailers-without-chunks") },
  "trailers by HTTP/1.0": { bytes: "GET /trailers HTTP/1.0\r\nHost: x\r\n\r\n", differs: "a name" },
  "trailers of HEAD": { bytes: head("/trailers-later"), methods: ["HEAD"] },
  "trailers, and none of them": { bytes: get("/trailers-of-nothing") },
  "trailers that are several lines": { bytes: get("/trailers-with-lines") },
  "trailers of a request": { bytes: chunkedWith("X-Sum: 42\r\nx-sum: 43\r\nX-Latin: \xe9\r\n") },
  "a request without trailers": { bytes: chunkedWith("") + get("/utf8"), methods: ["POST", "GET"] },
  "a request that can't have any": { bytes: post("/got-trailers", "abc"), methods: ["POST"] },
  "early hints": { bytes: get("/hints"), interim: 2 },
  "a refused expectation": {
    bytes: "POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    differs: "a length",
  },
  "an answer that waits for room": { bytes: get("/waits-for-room") },
  "requests of one connection": {
    bytes: get("/socket") + get("/socket") + get("/socket"),
    methods: ["GET", "GET", "GET"],
  },
  "what isn't there": { bytes: get("/missing"), differs: "a length" },
};

async function answers(
  to: number | RunningServer,
  { bytes, methods = ["GET"], interim = 0, differs }: Row,
): Promise<object[]> {
  using client = await RawClient.connect(to);
  client.send(Buffer.from(bytes, "latin1"));
  const found: object[] = [];
  for (let count = 0; count < interim; count += 1) found.push(shown(await client.answer()));
  for (const method of methods) found.push(shown(await client.answer(method)));
  const omitted = differs === undefined ? [] : differences[differs];
  for (const answer of found) for (const name of omitted) Reflect.deleteProperty(answer, name);
  return found;
}

test.each(Object.entries(rows))(
  "%s",
  async (_claim, row) => {
    const all = [server, secured, barePort].map((to) => answers(to, row));
    const [ours, oursOverTls, bare] = await Promise.all(all);
    expect(ours).toEqual(bare);
    expect(oursOverTls).toEqual(bare);
  },
  120_000,
);

test.each(["/cut", "/cut-answer", "/cut-later"])(
  "a listener that closes the connection instead of answering: %s",
  async (path) => {
    using client = await RawClient.connect(server);
    client.send(get(path));
    await client.ended();
    expect(client.unread).toBe(0);
  },
  120_000,
);

test.each(["part=3&part=longer", "part=10&part=short", "part=10&part=a&part=b"])(
  "a strict length that is broken is told: %s",
  async (parts) => {
    const found: unknown[] = [];
    for (const port of [server.port, barePort]) {
      using client = await RawClient.connect(port);
      client.send(get(`/strict?${parts}`));
      await client.ended();
      using other = await RawClient.connect(port);
      found.push(JSON.parse((await other.ask(get("/codes"))).body.toString()));
    }
    expect(found).toEqual([
      ["ERR_HTTP_CONTENT_LENGTH_MISMATCH"],
      ["ERR_HTTP_CONTENT_LENGTH_MISMATCH"],
    ]);
  },
  120_000,
);

const toldAt = async (port: number): Promise<unknown> => {
  using client = await RawClient.connect(port);
  return JSON.parse((await client.ask(get("/told"))).body.toString());
};

test.each(["halfClose", "reset"] as const)(
  "a listener learns that the rest of a body won't come: %s",
  async (leave) => {
    const found: unknown[] = [];
    for (const port of [server.port, barePort]) {
      using client = await RawClient.connect(port);
      client.send(post("/upload", "12345").slice(0, -2));
      await until("the first bytes", async () => {
        const told = await toldAt(port);
        return (told as string[]).includes("data");
      });
      client[leave]();
      const told: unknown[] = [];
      await until("the end", async () => told.push(...((await toldAt(port)) as [])) >= 3);
      found.push(told);
      if (leave === "halfClose") await client.ended();
    }
    expect(found).toEqual([found[1], ["aborted", "error ECONNRESET", "close"]]);
  },
  120_000,
);

test.each([
  ["HEAD of a stream", [head("/streamed")], 4],
  ["HEAD of a stream that takes its time", [head("/streamed-later")], 4],
  ["a body that is read when the answer is out", [post("/answered-first", "12345")], 5],
  ["one in two pieces", [post("/answered-first", "12345").slice(0, -2), "45"], 5],
  ["a large one that is answered inside", [post("/answered-inside", large)], 5],
  ["one in two pieces", [post("/answered-inside", large).slice(0, -2), "89"], 5],
  ["a body that nobody reads", [post("/unread-told", "12345")], 4],
  ["a large one that nobody reads", [post("/unread-told", "1".repeat(60_000))], 4],
  ["one in two pieces that nobody reads", [post("/unread-told", "12345").slice(0, -2), "45"], 4],
] as const)(
  "events of request and answer: %s",
  async (_claim, pieces, count) => {
    const found: string[][] = [];
    for (const port of [server.port, barePort]) {
      using client = await RawClient.connect(port);
      client.send(pieces[0]);
      await client.answer(pieces[0].slice(0, 4));
      if (pieces.length > 1) client.send(pieces[1]!);
      const told: string[] = [];
      await until("the events", async () => {
        told.push(...((await toldAt(port)) as string[]));
        return told.length >= count;
      });
      expect((await client.ask(get("/utf8"))).status).toBe(200);
      found.push(told);
    }
    expect(found[0]).toEqual(found[1]!);
    expect(found[0]).not.toContain("req aborted");
  },
  120_000,
);

test.each([
  "/not-kept-alive",
  "/closes-and-more",
  "/socket-ends",
  "/socket-ends-soon",
  "/socket-destroyed",
  "/socket-destroyed-behind",
  "/response-destroyed",
])(
  "a connection that the listener ends behind its answer: %s",
  async (path) => {
    for (const port of [server.port, barePort]) {
      using client = await RawClient.connect(port);
      client.send(get(path));
      expect((await client.answer()).body.toString()).toBe("last");
      expect(await client.ended()).toBe("fin");
    }
  },
  120_000,
);

test.each(["req", "res", "socket", "reqafter", "resafter", "socketafter"])(
  "events of what the listener destroys: %s",
  async (what) => {
    const found: string[][] = [];
    for (const port of [server.port, barePort]) {
      using client = await RawClient.connect(port);
      client.send(get(`/destroyed-at-once?what=${what}`));
      await client.ended();
      const told: string[] = [];
      await until("the events", async () => {
        told.push(...((await toldAt(port)) as string[]));
        return told.includes("req close") && told.includes("res close");
      });
      found.push(told);
    }
    expect(found[0]).toEqual(found[1]!);
  },
  120_000,
);

test("a connection that idles holds nothing of its last answer", async () => {
  const held = async (): Promise<number> => {
    using client = await RawClient.connect(server);
    return Number((await client.ask(get("/memory"))).body.toString());
  };
  const before = await held();
  const clients: RawClient[] = [];
  for (let count = 0; count < 50; count += 1) {
    const client = await RawClient.connect(server);
    clients.push(client);
    expect((await client.ask(get("/large"))).body.length).toBe(1_000_000);
  }
  await until("the memory to be free", async () => (await held()) - before < 10_000_000);
  for (const client of clients) client[Symbol.dispose]();
}, 120_000);

test("a socket knows both of its ends", async () => {
  using client = await RawClient.connect(server);
  const { body } = await client.ask(get("/local"));
  expect(body.toString()).toBe(`127.0.0.1,${server.port},IPv4`);
});

test.each(["/ends-first", "/ends-inside"])(
  "a connection that the listener ends before: %s",
  async (path) => {
    for (const port of [server.port, barePort]) {
      using client = await RawClient.connect(port);
      client.send(get(path));
      await client.ended();
    }
  },
  120_000,
);

test("node:http's own clock for idle connections closes nobody's", async () => {
  using client = await RawClient.connect(server);
  const asked: string[] = [];
  for (const path of ["/socket", "/idles-briefly"])
    asked.push((await client.ask(get(path))).body.toString());
  using other = await RawClient.connect(server);
  await other.ask(get("/later?ms=300"));
  asked.push((await client.ask(get("/socket"))).body.toString());
  expect(asked).toEqual(["request 1", "idle", "request 2"]);
}, 120_000);

test("trailers that frame a message aren't sent", async () => {
  using client = await RawClient.connect(server);
  const { trailers, complete } = await client.ask(get("/trailers-that-lie"));
  expect([trailers, complete]).toEqual([["X-Sum: 42"], true]);
});

const eventsAt = async (port: number) => {
  const answer = await fetch(`http://127.0.0.1:${port}/events`, { keepalive: false });
  return (await answer.json()) as Record<string, number>;
};

test("the ends of answers are told, and sockets go with their connections", async () => {
  for (const port of [server.port, barePort]) {
    const before = await eventsAt(port);
    {
      using client = await RawClient.connect(port);
      for (let count = 0; count < 3; count += 1) await client.ask(get("/finished"));
    }
    await until("the events", async () => {
      const { finished, closed } = await eventsAt(port);
      return finished === before["finished"]! + 3 && closed === before["closed"]! + 3;
    });
    // The one that asks.
    await until("one connection", async () => (await eventsAt(port))["connections"] === 1);
  }
}, 120_000);

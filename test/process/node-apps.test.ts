/** Node listeners (req, res), exported or listening by node:http, served on this server's addresses. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../bench/free-port.ts";
import { nameless } from "../support/descriptors.ts";
import { field, fieldValues, RawClient } from "../support/raw-client.ts";
import { gunicorn, type RunningServer, start, until } from "../support/server.ts";

/** What all the apps do, in a function (req, res). */
const listener = `const listener = (req, res) => {
  const { pathname } = new URL(req.url, "http://x");
  if (pathname === "/echo") return void req.pipe(res);
  if (pathname === "/facts") {
    const { method, url, rawHeaders, httpVersion, headers } = req;
    const { remoteAddress, remotePort, remoteFamily, encrypted } = req.socket;
    return void res.end(JSON.stringify({ method, url, rawHeaders, httpVersion, host: headers.host, remoteAddress, remoteFamily, encrypted, hasPort: remotePort > 0 }));
  }
  if (pathname === "/cookies") {
    res.setHeader("Set-Cookie", ["a=1", "b=2"]);
    res.writeHead(302, "Elsewhere", { Location: "/" });
    return void res.end();
  }
  if (pathname === "/parts") {
    res.write("first");
    return void setTimeout(() => res.end("last"), 100);
  }
  if (pathname === "/large") return void res.end("x".repeat(5_000_000));
  if (pathname === "/nothing") return void res.writeHead(204).end();
  if (pathname === "/hang") {
    note("asked");
    return void req.on("close", () => note("left"));
  }
  if (pathname === "/throws") throw new Error("at once");
  if (pathname === "/throws-behind") {
    res.end("answered");
    throw new Error("behind the answer");
  }
  if (pathname === "/throws-in-data") return void req.on("data", () => { throw new Error("in data"); });
  if (pathname === "/length") {
    let bytes = 0;
    note("asked");
    req.on("data", (chunk) => { bytes += chunk.length; });
    req.on("error", () => note("left"));
    return void req.on("end", () => res.end(String(bytes)));
  }
  if (pathname === "/endless") {
    const timer = setInterval(() => res.write("x".repeat(1000)), 5);
    return void res.on("close", () => { clearInterval(timer); note("left"); });
  }
  res.end("ours");
};
import { appendFileSync } from "node:fs";
const note = (what) => appendFileSync("events", what + "\\n");
`;

/** Each way to be served, given a port that nobody may open. */
const shapes: Readonly<Record<string, (port: number) => string>> = {
  "a listener that is exported": () => `export default listener;`,
  "a function with the names of one": () => `export default (req, res) => listener(req, res);`,
  "a script that listens": (port) =>
    `import { createServer } from "node:http"; createServer(listener).listen(${port});`,
  "a script that listens later": (port) =>
    `import http from "http"; setTimeout(() => http.createServer(listener).listen(${port}, "127.0.0.1"), 200);`,
  "a server that is exported": () =>
    `import { createServer } from "node:http"; export default createServer(listener);`,
  "a server that is exported and listens": (port) =>
    `import { createServer } from "node:http"; export default createServer(listener).listen(${port});`,
  "a framework that is exported": () =>
    `export default Object.assign((...args) => listener(...args), { handle() {}, use() {} });`,
  "a framework that is exported and listens": (port) =>
    `import { createServer } from "node:http";
     const app = Object.assign((...args) => listener(...args), { handle() {}, use() {} });
     createServer(app).listen(${port});
     export default app;`,
  "a framework with a callback": () => `export default { listen() {}, callback: () => listener };`,
  "a framework that gets ready": () =>
    `let ready = false;
     export default { listen() {}, ready: async () => { ready = true; }, routing: (req, res) => { if (ready) listener(req, res); } };`,
  "a server that closes at a signal": (port) =>
    `import { createServer } from "node:http";
     const server = createServer(listener).listen(${port});
     process.on("SIGTERM", () => server.close(() => process.exit(0)));`,
  "a server that looks where it listens": (port) =>
    `import { createServer } from "node:http";
     const server = createServer((req, res) => {
       const { address, port } = server.address();
       if (address !== "127.0.0.1" || String(port) !== req.headers.host.split(":")[1]) throw new Error("elsewhere");
       listener(req, res);
     });
     server.listen(${port}, () => { if (!server.listening) throw new Error("not listening"); });`,
};

describe.each([["async"], ["sync"], ["serve"]])("-k %s", (kind) => {
  test.each(Object.keys(shapes))(
    "%s is served, and opens no port of its own",
    async (name) => {
      const port = freePort();
      await using server = await gunicorn({
        app: "app",
        files: { "app.ts": listener + shapes[name]!(port) },
        args: ["-k", kind, "-w", "2"],
      });
      await server.settled(2);
      expect(await (await fetch(server.url)).text()).toBe("ours");
      const own = fetch(`http://127.0.0.1:${port}`).then(
        () => "open",
        () => "closed",
      );
      expect(await own).toBe("closed");
      expect(await server.stop()).toBe(0);
      expect(server.log).not.toContain("port of its own");
      expect(server.log).not.toContain("ERROR");
    },
    120_000,
  );
});

function serve(args: readonly string[] = []): Promise<RunningServer> {
  const files = { "app.ts": `${listener}export default listener;`, events: "" };
  return gunicorn({ app: "app", files, args });
}

const eventsOf = ({ folder }: RunningServer) => readFileSync(join(folder, "events"), "utf8");

test("the listener sees the request as it was sent, and its client", async () => {
  await using server = await serve();
  using client = await RawClient.connect(server.port);
  const lines = ["Host: a.example:81", "X-One: 1", "x-ONE: 2", "Cookie: a=1; b=2", "X-Latin: \xe9"];
  client.send(
    Buffer.from(`GET /facts?a=%20&b HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`, "latin1"),
  );
  expect(JSON.parse((await client.answer("GET")).body.toString())).toEqual({
    method: "GET",
    url: "/facts?a=%20&b",
    rawHeaders: [
      "Host",
      "a.example:81",
      "X-One",
      "1",
      "x-ONE",
      "2",
      "Cookie",
      "a=1; b=2",
      "X-Latin",
      "\xe9",
    ],
    httpVersion: "1.1",
    host: "a.example:81",
    remoteAddress: "127.0.0.1",
    remoteFamily: "IPv4",
    encrypted: false,
    hasPort: true,
  });
});

test("nobody can say in a field who he is", async () => {
  await using server = await serve();
  const answer = await fetch(new URL("/facts", server.url), {
    headers: { "x-client-00000000-0000-0000-0000-000000000000": "https 192.0.2.1 1 IPv4" },
  });
  expect(JSON.parse(await answer.text())).toMatchObject({ remoteAddress: "127.0.0.1" });
});

test("whoever else finds the inner socket is cut, and the server goes on", async () => {
  await using server = await serve();
  expect(await (await fetch(server.url)).text()).toBe("ours");
  const [pid] = server.workers();
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  let got = "";
  await Bun.connect({
    unix: nameless(pid!),
    socket: {
      open: (socket) => void socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
      data: (_socket, bytes) => void (got += bytes.toString()),
      close: () => resolve(got),
    },
  });
  expect(await ended).not.toContain("ours");
  expect(await (await fetch(server.url)).text()).toBe("ours");
  expect(await server.stop()).toBe(0);
});

test.each([
  ["exported", ""],
  ["listening", ".listen(8443)"],
])(
  "a server of node:https is refused, %s: nobody gets plain what was meant to be encrypted",
  async (_claim, listens) => {
    await using server = start({
      app: "app",
      files: {
        "app.ts": `import { createServer } from "node:https";
          export default createServer({ key: "k", cert: "c" }, (req, res) => res.end())${listens};`,
      },
    });
    expect(await server.process.exited).not.toBe(0);
    expect(server.log).toContain("tls: use the settings certfile and keyfile");
  },
  120_000,
);

test("a PROXY header's client and a trusted proxy's scheme reach the listener", async () => {
  await using server = await serve(["--proxy-protocol", "v1"]);
  using client = await RawClient.connect(server.port);
  client.send(
    "PROXY TCP4 192.0.2.9 192.0.2.1 4321 80\r\nGET /facts HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\n\r\n",
  );
  const facts = JSON.parse((await client.answer("GET")).body.toString());
  expect([facts.remoteAddress, facts.encrypted]).toEqual(["192.0.2.9", true]);
});

test("answers keep their status, reason, repeated fields, and say nothing of the inner connection", async () => {
  await using server = await serve();
  using client = await RawClient.connect(server.port);
  const answer = await client.ask("GET /cookies HTTP/1.1\r\nHost: x\r\n\r\n");
  expect([answer.status, answer.reason]).toEqual([302, "Elsewhere"]);
  expect(fieldValues(answer, "set-cookie")).toEqual(["a=1", "b=2"]);
  expect([
    field(answer, "location"),
    field(answer, "connection"),
    field(answer, "keep-alive"),
  ]).toEqual(["/", null, null]);
  expect((await client.ask("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")).status).toBe(204);
  expect(
    field(await client.ask("GET /small HTTP/1.1\r\nHost: x\r\n\r\n"), "content-type"),
  ).toBeNull();
  const head = await client.ask("HEAD /large HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD");
  expect([head.status, field(head, "content-length")]).toEqual([200, null]);
  const large = await client.ask("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  expect([large.framing, large.body.length, large.complete]).toEqual(["length", 5_000_000, true]);
});

test("what a listener writes goes out at once", async () => {
  await using server = await serve();
  const answer = await fetch(new URL("/parts", server.url));
  const reader = answer.body!.getReader();
  const { value } = await reader.read();
  expect(new TextDecoder().decode(value)).toBe("first");
  const rest = await reader.read();
  expect(new TextDecoder().decode(rest.value)).toBe("last");
});

const large = new Uint8Array(5_000_000).map((_, index) => index % 251);

test.each([
  ["small", new Uint8Array([1, 2, 3]), "length"],
  ["of 5 MB", large, "length"],
  ["of 5 MB, in chunks", large, "chunks"],
  ["empty, in chunks", new Uint8Array(), "chunks"],
] as const)("a body %s reaches the listener and comes back", async (_claim, bytes, framing) => {
  await using server = await serve();
  const body = framing === "length" ? bytes : new Blob([bytes]).stream();
  const answer = await fetch(new URL("/echo", server.url), { method: "POST", body });
  expect(Buffer.compare(await answer.bytes(), bytes)).toBe(0);
});

test("100 Continue comes before the body", async () => {
  await using server = await serve();
  using client = await RawClient.connect(server.port);
  client.send(
    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
  );
  expect((await client.answer("POST")).status).toBe(100);
  client.send("hello");
  expect((await client.answer("POST")).body.toString()).toBe("hello");
});

test.each(["/hang", "/endless"])(
  "a client that leaves closes the listener's request: %s",
  async (path) => {
    await using server = await serve();
    {
      using client = await RawClient.connect(server.port);
      client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      if (path === "/hang") await until("asked", () => eventsOf(server).includes("asked"));
      else await client.peek(5000);
    }
    await until("left", () => eventsOf(server).includes("left"));
    expect(await (await fetch(server.url)).text()).toBe("ours");
    expect(await server.stop()).toBe(0);
  },
  120_000,
);

test("a listener that throws is answered 500, or has answered; its error is logged", async () => {
  await using server = await serve();
  const workers = await server.settled(1);
  using client = await RawClient.connect(server.port);
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  client.send(get("/throws") + get("/throws-behind") + get("/throws-behind") + get("/small"));
  const answers: unknown[] = [];
  for (let count = 0; count < 4; count += 1) {
    const { status, body } = await client.answer();
    answers.push(status === 200 ? body.toString() : status);
  }
  expect(answers).toEqual([500, "answered", "answered", "ours"]);
  await server.logged(/GET \/throws\nError: at once/);
  await server.logged(/GET \/throws-behind\nError: behind the answer/);
  expect(server.workers()).toEqual(workers);
}, 120_000);

test("what a handler of a body throws is an error of the process, and not of the client", async () => {
  await using server = await serve();
  using client = await RawClient.connect(server.port);
  client.send("POST /throws-in-data HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
  await server.logged(/Unhandled exception in worker process\nError: in data/);
}, 120_000);

test.each([
  ["too large", ["--limit-request-body", "1000"], 413],
  ["too slow", ["--body-timeout", "1"], 408],
] as const)(
  "a body that is %s is refused, and its listener knows",
  async (_claim, args, status) => {
    await using server = await serve(args);
    using client = await RawClient.connect(server.port);
    client.send("POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n");
    await until("the listener", () => eventsOf(server).includes("asked"));
    if (status === 413) client.send("x".repeat(1024));
    expect((await client.answer()).status).toBe(status);
    await until("the listener", () => eventsOf(server).includes("left"));
    expect(await server.stop()).toBe(0);
  },
  120_000,
);

test("a worker doesn't wait for listeners whose clients have left", async () => {
  await using server = await serve(["--graceful-timeout", "300"]);
  using client = await RawClient.connect(server.port);
  client.send("GET /hang HTTP/1.1\r\nHost: x\r\n\r\n");
  await until("asked", () => eventsOf(server).includes("asked"));
  client.reset();
  await until("left", () => eventsOf(server).includes("left"));
  expect(await server.stop()).toBe(0);
}, 120_000);

test("the limits, the access log and max_requests hold as for every app", async () => {
  await using server = await serve(["--access-logfile", "-", "--limit-request-line", "50"]);
  expect((await fetch(new URL(`/${"x".repeat(100)}`, server.url))).status).toBe(414);
  await (await fetch(new URL("/cookies", server.url), { redirect: "manual" })).text();
  await server.logged(/"GET \/cookies HTTP\/1.1" 302 0 /);
});

test("a listener without anything to listen with is refused by --check-config as by a worker", async () => {
  const files = { "app.ts": "export default { listen() {}, on() {}, close() {} };" };
  await using server = start({ app: "app", files });
  expect(await server.process.exited).not.toBe(0);
}, 120_000);

/** Requests with Upgrade to node:http servers: their "upgrade" listeners get the connection, whatever they speak. */
import { describe, expect, test } from "bun:test";
import { frame, handshake, handshakeLines, opcodes, readFrame } from "../support/frames.ts";
import { field, RawClient } from "../support/raw-client.ts";
import { gunicorn, until } from "../support/server.ts";
import { Client } from "../support/websocket-client.ts";
import { get, requestText } from "../support/wire.ts";

const raw = `import { createServer } from "node:http";
const server = createServer((req, res) => {
  if (req.url === "/watched") req.socket.on("close", () => console.error("socket of requests closed"));
  res.end("ordinary " + req.headers.upgrade);
});
server.on("upgrade", (req, socket, head) => {
  const { method, url, headers, rawHeaders } = req;
  if (url === "/refused") return void socket.end("HTTP/1.1 401 Unauthorized\\r\\nContent-Length: 0\\r\\n\\r\\n");
  if (url === "/dropped") return void socket.destroy();
  if (url === "/torn") {
    socket.write("HTTP/1.1 401 Unauthorized\\r\\nContent-Length: 0\\r\\n\\r\\n");
    return void socket.destroy();
  }
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: " + headers.upgrade + "\\r\\nConnection: Upgrade\\r\\n\\r\\n");
  const { remoteAddress, remotePort, remoteFamily } = req.socket;
  if (url === "/facts") socket.write(JSON.stringify({ method, rawHeaders, remoteAddress, remotePort, remoteFamily }) + "\\n");
  socket.write(head);
  if (url === "/flood") {
    const chunk = Buffer.alloc(100_000);
    for (let at = 0; at < 50; at++) socket.write(Buffer.from(chunk.fill(at)));
  }
  socket.on("data", (bytes) => socket.write(bytes));
  socket.on("end", () => socket.end("bye"));
  socket.on("error", () => {});
  socket.on("close", () => console.error("socket closed " + url));
});
server.listen(1);`;

const upgrade = (path: string) => get(path, "Upgrade: echo", "Connection: Upgrade");

describe("an upgrade listener of node:http", () => {
  const args = ["-k", "async", "--keep-alive", "300", "--access-logfile", "-"];
  const serve = () => gunicorn({ files: { "app.ts": raw }, args });

  test("gets the connection, with what came behind the head", async () => {
    await using server = await serve();
    using client = await RawClient.connect(server.port);
    client.send(`${upgrade("/plain")}early`);
    expect(field(await client.answer(), "upgrade")).toBe("echo");
    expect(String(await client.take(5))).toBe("early");
    client.send("later");
    expect(String(await client.take(5))).toBe("later");
    client.halfClose();
    expect(String(await client.take(3))).toBe("bye");
    expect(await client.ended()).toBe("fin");
    await server.logged(/"GET \/plain HTTP\/1\.1" 101 /);
    await server.logged("socket closed /plain");
  });

  test("gets the head as the client has sent it, and the client's address", async () => {
    await using server = await serve();
    using client = await RawClient.connect(server.port);
    client.send(
      requestText("GET", "/facts", ["X-Own: a  b", "uPGRADE: echo", "connection: UPGRADE"]),
    );
    expect((await client.answer()).status).toBe(101);
    await client.seen("\n");
    const facts = JSON.parse(String(await client.take(client.unread))) as Record<string, unknown>;
    expect(facts).toEqual({
      method: "GET",
      rawHeaders: ["Host", "test", "X-Own", "a  b", "uPGRADE", "echo", "connection", "UPGRADE"],
      remoteAddress: "127.0.0.1",
      remotePort: client.port,
      remoteFamily: "IPv4",
    });
  });

  test("may refuse, or drop the connection, and the log says which", async () => {
    await using server = await serve();
    using client = await RawClient.connect(server.port);
    expect((await client.ask(upgrade("/refused"))).status).toBe(401);
    client.halfClose();
    await client.ended();
    await server.logged(/"GET \/refused HTTP\/1\.1" 401 /);
    using dropped = await RawClient.connect(server.port);
    dropped.send(upgrade("/dropped"));
    await dropped.ended();
    await server.logged(/"GET \/dropped HTTP\/1\.1" 499 /);
  });

  test("may tear the connection behind its last bytes, which come to a client that sends on", async () => {
    await using server = await serve();
    for (let count = 0; count < 20; count++) {
      using client = await RawClient.connect(server.port);
      client.send(upgrade("/torn") + "early".repeat(60_000));
      expect((await client.answer()).status).toBe(401);
      await client.ended();
    }
    await server.logged(/"GET \/torn HTTP\/1\.1" 401 /);
  });

  test("doesn't get what is no request for another protocol", async () => {
    await using server = await serve();
    const rows = [
      get("/", "Upgrade: echo"),
      get("/", "Connection: upgrade"),
      requestText("POST", "/", ["Upgrade: echo", "Connection: upgrade", "Content-Length: 1"]) + "x",
    ];
    for (const request of rows) {
      using client = await RawClient.connect(server.port);
      expect((await client.ask(request)).body.toString()).toStartWith("ordinary");
      expect((await client.ask(get("/"))).status).toBe(200);
    }
  });

  test("sends at the pace of a client that reads late", async () => {
    await using server = await serve();
    using client = await RawClient.connect(server.port);
    client.pause();
    client.send(upgrade("/flood"));
    await server.logged(/"GET \/flood HTTP\/1\.1" 101 /);
    client.resume();
    expect((await client.answer()).status).toBe(101);
    for (let at = 0; at < 50; at++) {
      expect((await client.take(100_000)).every((byte) => byte === at)).toBe(true);
    }
  });

  test("gets a socket of its own, and that of earlier requests is closed", async () => {
    await using server = await serve();
    using client = await RawClient.connect(server.port);
    expect((await client.ask(get("/watched"))).status).toBe(200);
    expect((await client.ask(upgrade("/plain"))).status).toBe(101);
    await server.logged("socket of requests closed");
    client.send("later");
    expect(String(await client.take(5))).toBe("later");
  });

  test("learns that its client has left by a reset", async () => {
    await using server = await serve();
    using client = await RawClient.connect(server.port);
    expect((await client.ask(upgrade("/reset"))).status).toBe(101);
    client.reset();
    await server.logged("socket closed /reset");
  });

  test("reads no second request past the worker", async () => {
    await using server = await serve();
    using client = await RawClient.connect(server.port);
    expect((await client.ask(upgrade("/refused"))).status).toBe(401);
    client.send(get("/second"));
    await client.ended();
    expect(client.unread).toBe(0);
  });

  test.each(["SIGHUP", "SIGTERM"] as const)(
    "loses its connections at %s, and the worker ends",
    async (signal) => {
      await using server = await serve();
      using client = await RawClient.connect(server.port);
      expect((await client.ask(upgrade("/left"))).status).toBe(101);
      server.kill(signal);
      await client.ended();
      const code = signal === "SIGHUP" ? server.stop() : server.process.exited;
      expect(await code).toBe(0);
      expect(server.log).not.toContain("graceful_timeout");
    },
  );
});

test("without an upgrade listener it is an ordinary request, as in node", async () => {
  const app = `import { createServer } from "node:http";
export default createServer((req, res) => res.end("ordinary " + req.headers.upgrade));`;
  await using server = await gunicorn({ files: { "app.ts": app } });
  using client = await RawClient.connect(server.port);
  for (let count = 0; count < 2; count++) {
    expect((await client.ask(upgrade("/"))).body.toString()).toBe("ordinary echo");
  }
});

test("a listener that is added late counts from then on", async () => {
  const app = `import { createServer } from "node:http";
const server = createServer((req, res) => {
  if (req.url === "/add") server.on("upgrade", (_req, socket) => socket.end("HTTP/1.1 101 Now\\r\\n\\r\\n"));
  res.end("ordinary");
}).listen(1);`;
  await using server = await gunicorn({ files: { "app.ts": app } });
  using client = await RawClient.connect(server.port);
  expect((await client.ask(upgrade("/"))).status).toBe(200);
  expect((await client.ask(get("/add"))).status).toBe(200);
  expect((await client.ask(upgrade("/"))).status).toBe(101);
});

const ws = `import { createServer } from "node:http";
import { WebSocketServer } from "ws";
const server = createServer((req, res) => res.end("ordinary"));
const sockets = new WebSocketServer({ server, path: "/ws" });
sockets.on("connection", (socket, request) => {
  socket.send("hello " + request.socket.remoteAddress + request.url);
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.listen(1);`;

describe("websockets of the package ws", () => {
  test("echo texts, bytes and what came with the handshake", async () => {
    await using server = await gunicorn({ files: { "app.ts": ws } });
    const client = new Client(`${server.url}/ws`);
    await client.hears("hello 127.0.0.1/ws");
    client.send("text");
    await client.hears("text");
    client.send(new Uint8Array([1, 2]));
    await client.hears("bytes 1,2");
    expect(await (await fetch(server.url)).text()).toBe("ordinary");
    using early = await RawClient.connect(server.port);
    early.send(Buffer.concat([Buffer.from(handshake("/ws")), frame("text", "early")]));
    expect((await early.answer()).status).toBe(101);
    expect((await readFrame(early)).payload.toString()).toStartWith("hello");
    const { opcode, payload } = await readFrame(early);
    expect([opcode, payload.toString()]).toEqual([opcodes.text, "early"]);
  });

  test("are refused by the package itself", async () => {
    await using server = await gunicorn({ files: { "app.ts": ws } });
    const rows = [
      handshake("/elsewhere"),
      get("/ws", ...handshakeLines.slice(0, 2), "Sec-WebSocket-Version: 13"),
    ];
    for (const request of rows) {
      using client = await RawClient.connect(server.port);
      expect((await client.ask(request)).status).toBe(400);
    }
  });

  test("are closed by the app itself, when it listens for SIGTERM", async () => {
    const closing = `${ws}
process.on("SIGTERM", () => {
  for (const client of sockets.clients) client.close(1001, "come back");
  server.close();
});`;
    await using server = await gunicorn({ files: { "app.ts": closing } });
    const clients = Array.from({ length: 10 }, () => new Client(`${server.url}/ws`));
    await until("all to be open", () => clients.every(({ heard }) => heard.length === 1));
    const stopped = server.stop();
    expect(new Set(await Promise.all(clients.map(({ closed }) => closed)))).toEqual(
      new Set([1001]),
    );
    expect(await stopped).toBe(0);
  });

  test("serve many at a time, and none is left open", async () => {
    const args = ["-w", "2", "--access-logfile", "-"];
    await using server = await gunicorn({ files: { "app.ts": ws }, args });
    const clients = Array.from({ length: 100 }, () => new Client(`${server.url}/ws`));
    await until("all to be open", () => clients.every(({ heard }) => heard.length === 1), 60_000);
    for (const client of clients) client.send("x".repeat(10_000));
    await until("all to hear", () => clients.every(({ heard }) => heard.length === 2), 60_000);
    server.kill("SIGHUP");
    await Promise.all(clients.map(({ closed }) => closed));
    expect(await (await fetch(server.url, { keepalive: false })).text()).toBe("ordinary");
    expect(await server.stop()).toBe(0);
  }, 120_000);
});

/** Clients of a secure listener that don't get through the handshake: each is told or cut, and costs nobody anything. */
import { describe, expect, test } from "bun:test";
import { RawClient } from "../support/raw-client.ts";
import { descriptorsOf } from "../support/descriptors.ts";
import { gunicorn, type RunningServer, until } from "../support/server.ts";

const app = `export default { fetch: () => new Response("hello") };`;

function serve(...args: readonly string[]): Promise<RunningServer> {
  const always = ["--log-level", "debug", "--access-logfile", "-"];
  return gunicorn({ secure: true, files: { "app.ts": app }, args: [...always, ...args] });
}

/** The begin of a ClientHello of 512 bytes. */
const hello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

/** How many sockets a worker holds. */
function socketsOf(pid: number | undefined): number {
  return descriptorsOf(pid as number).filter(([, what]) => what.startsWith("socket:")).length;
}

async function expectsService(server: RunningServer): Promise<void> {
  expect(await (await server.fetch()).text()).toBe("hello");
}

describe("plain HTTP", () => {
  const sentence = "The plain HTTP request was sent to HTTPS port";

  test.each<[string, string]>([
    ["GET", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
    [
      "POST",
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n${"x".repeat(3_000_000)}`,
    ],
    ["PUT", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx"],
    ["HEAD", "HEAD / HTTP/1.0\r\n\r\n"],
    ["CONNECT", "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n"],
  ])(
    "by %s is answered with 400",
    async (_method, request) => {
      await using server = await serve();
      using client = await RawClient.connect(server.port);
      const answer = await client.ask(request);
      expect([answer.status, answer.complete]).toEqual([400, true]);
      expect(answer.body.toString()).toContain(sentence);
      expect(await client.ended()).toBe("fin");
      await server.logged(`[WARNING] Invalid request from ip=127.0.0.1: ${sentence}`);
      await server.logged(/127\.0\.0\.1 - - \[[^\]]+\] "-" 400 166 /);
      await expectsService(server);
    },
    60_000,
  );

  test("is no connection any more when the client has left", async () => {
    await using server = await serve();
    const [worker] = await server.settled(1);
    await expectsService(server);
    const before = socketsOf(worker);
    const clients = await Promise.all(
      Array.from({ length: 20 }, () => RawClient.connect(server.port)),
    );
    for (const client of clients) client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    for (const client of clients) expect(await client.ended()).toBe("fin");
    for (const client of clients) client[Symbol.dispose]();
    await until("their descriptors to be closed", () => {
      return socketsOf(worker) <= before;
    });
  }, 60_000);
});

describe("what is no handshake", () => {
  test.each<[string, string, string | RegExp]>([
    ["garbage", "garbage garbage garbage", "wrong version number"],
    ["SSLv2", "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", /TLS handshake: [a-z]/],
  ])(
    "%s is cut at once",
    async (_name, bytes, reason) => {
      await using server = await serve();
      using client = await RawClient.connect(server.port);
      client.send(bytes);
      await client.ended();
      await server.logged("Closing ip=127.0.0.1: TLS handshake: ");
      await server.logged(reason);
      await expectsService(server);
    },
    60_000,
  );

  test.each<[string, string]>([
    ["silence", ""],
    ["half a ClientHello", hello],
    ["a byte of one", hello.slice(0, 1)],
  ])(
    "%s is cut after header_timeout",
    async (_name, bytes) => {
      await using server = await serve("--header-timeout", "1");
      using client = await RawClient.connect(server.port);
      client.send(bytes);
      expect(await client.ended()).toBe("fin");
      await server.logged("Closing ip=127.0.0.1: TLS handshake: header_timeout");
      await expectsService(server);
    },
    60_000,
  );

  test("a client that leaves meanwhile is told of, and no error", async () => {
    await using server = await serve();
    const client = await RawClient.connect(server.port);
    client.send(hello);
    await client.sent();
    client.halfClose();
    await server.logged("Closing ip=127.0.0.1: TLS handshake: the client has left");
    client[Symbol.dispose]();
    await expectsService(server);
    expect(server.log).not.toContain("[ERROR]");
  }, 60_000);

  test("many of them count as connections, and are gone in the end", async () => {
    await using server = await serve("--header-timeout", "2", "--worker-connections", "300");
    const [worker] = await server.settled(1);
    await expectsService(server);
    const before = socketsOf(worker);
    const begins = ["", hello, "garbage"];
    const clients = await Promise.all(
      Array.from({ length: 150 }, () => RawClient.connect(server.port)),
    );
    for (const [index, client] of clients.entries()) client.send(begins[index % 3] as string);
    await expectsService(server);
    for (const client of clients) await client.ended();
    for (const client of clients) client[Symbol.dispose]();
    await until("their descriptors to be closed", () => {
      return socketsOf(worker) <= before;
    });
    await expectsService(server);
  }, 60_000);
});

describe("a stop", () => {
  test("serves who is in the middle of a handshake, and doesn't wait for who is silent", async () => {
    await using server = await serve("--header-timeout", "600", "--graceful-timeout", "600");
    const silent = await RawClient.connect(server.port);
    silent.send(hello);
    await silent.sent();
    // Accepted, since later ones are served.
    await expectsService(server);
    server.process.kill("SIGTERM");
    // After 2 seconds, and not after 600.
    expect(await server.process.exited).toBe(0);
    await silent.ended();
    silent[Symbol.dispose]();
    await server.logged("Closing ip=127.0.0.1: TLS handshake: keepalive");
  }, 60_000);
});

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { RawClient } from "../support/raw-client.ts";
import { gunicorn, type RunningServer, until } from "../support/server.ts";
import { get, get10, post, requestText, transports } from "../support/wire.ts";

setDefaultTimeout(120_000);

/** More than the kernel holds for both ends of a connection. */
const sizeBytes = 16_000_000;

const app = `
const size = ${sizeBytes};
const text = "x".repeat(size);
await Bun.write("big.txt", text);
const make = {
  "/text": () => new Response(text),
  "/json": () => Response.json(text.slice(2)),
  "/bytes": () => new Response(Buffer.from(text)),
  "/blob": () => new Response(new Blob([text])),
  "/file": () => new Response(Bun.file("big.txt")),
  "/stream": () => new Response(ReadableStream.from([text])),
  "/late": async () => (await Bun.sleep(1), new Response(text)),
  "/small": () => new Response("small"),
};
export default (request) => make[new URL(request.url).pathname]();
`;

/** A client that takes nothing until others' time has run out twice. */
async function dawdle(server: RunningServer, ...requests: readonly string[]): Promise<RawClient> {
  const client = await RawClient.connect(server);
  client.pause();
  for (const request of requests) client.send(request);
  for (let round = 0; round < 2; round++) {
    using idle = await RawClient.connect(server);
    await idle.ask(get("/small"));
    await idle.ended();
  }
  client.resume();
  return client;
}

describe.each(transports)("-k async --keep-alive 3 over %s: a slow reader", (transport) => {
  const secure = transport === "TLS";
  let server: RunningServer;
  beforeAll(async () => {
    // It begins when the kernel has all: a client that is busy with others' megabytes is a while behind that.
    const args = ["--keep-alive", "3"];
    server = await gunicorn({ files: { "app.ts": app }, secure, args });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  // One server, and time passes for all at once.
  test.concurrent.each<[string, string, boolean]>([
    ["text", get("/text"), true],
    ["JSON", get("/json"), true],
    ["bytes", get("/bytes"), true],
    ["a blob", get("/blob"), true],
    ["a file", get("/file"), true],
    ["a stream", get("/stream"), true],
    ["an answer that comes later", get("/late"), true],
    ["the answer to a body", post("/text", "abc"), true],
    ["the last answer", get("/text", "Connection: close"), false],
    ["the last file", get("/file", "Connection: close"), false],
    ["an answer to HTTP/1.0", get10("/text"), false],
    ["an answer to HTTP/1.0 with keep-alive", get10("/text", "Connection: keep-alive"), true],
  ])("gets all of %s", async (_name, request, kept) => {
    using client = await dawdle(server, request);
    const answer = await client.answer();
    expect([answer.complete, answer.body.length]).toEqual([true, sizeBytes]);
    if (kept) expect((await client.ask(get("/small"))).body.toString()).toBe("small");
    expect(await client.ended()).toBe("fin");
  });

  test.concurrent("gets all of pipelined answers, and what it asks behind them", async () => {
    const order = ["/text", "/small", "/file", "/bytes", "/small"];
    using client = await dawdle(server, ...order.map((path) => get(path)));
    for (const path of order) {
      const { complete, body } = await client.answer();
      expect([path, complete, body.length]).toEqual([
        path,
        true,
        path === "/small" ? 5 : sizeBytes,
      ]);
    }
    expect((await client.ask(get("/small"))).body.toString()).toBe("small");
    expect(await client.ended()).toBe("fin");
  });

  test.concurrent("gets all of an answer whose client has closed half-way", async () => {
    using client = await RawClient.connect(server);
    client.pause();
    client.send(get("/text") + get("/small"));
    client.halfClose();
    for (let round = 0; round < 2; round++) {
      using idle = await RawClient.connect(server);
      await idle.ask(get("/small"));
      await idle.ended();
    }
    client.resume();
    expect((await client.answer()).body.length).toBe(sizeBytes);
    expect((await client.answer()).body.toString()).toBe("small");
    expect(await client.ended()).toBe("fin");
  });

  test.each(["TERM", "HUP"] as const)(
    "gets all of it while its worker leaves: %s",
    async (signal) => {
      const args = ["--keep-alive", "1", "--graceful-timeout", "50"];
      await using server = await gunicorn({ files: { "app.ts": app }, secure, args });
      using client = await RawClient.connect(server);
      client.pause();
      client.send(get("/text"));
      const [before] = server.workers();
      using idle = await RawClient.connect(server);
      await idle.ask(get("/small"));
      server.kill(`SIG${signal}`);
      // The idle one is given keepalive once more.
      await idle.ended();
      if (signal === "HUP")
        await until("the successor", () => server.workers().some((pid) => pid !== before));
      client.resume();
      const { complete, body } = await client.answer();
      expect([complete, body.length]).toEqual([true, sizeBytes]);
      expect(await client.ended()).toBe("fin");
      if (signal === "TERM") expect(await server.process.exited).toBe(0);
      expect(server.log).not.toContain("graceful_timeout:");
    },
  );

  test("is cut when it takes nothing for write_timeout, by a reset", async () => {
    const args = ["--keep-alive", "1", "--write-timeout", "1"];
    await using server = await gunicorn({ files: { "app.ts": app }, secure, args });
    using client = await dawdle(server, get("/text"));
    expect(await client.ended()).toBe("reset");
  });
});

describe.each(transports)("-k async over %s: behind the last answer", (transport) => {
  const secure = transport === "TLS";
  // Fits into what the kernel holds, so that FIN is behind it at once.
  const half = `export default { fetch: (request) => new Response("x".repeat(1_500_000), { headers: { connection: "close" } }) };`;

  test("a client that takes its time gets all, though it goes on sending", async () => {
    await using server = await gunicorn({ files: { "app.ts": half }, secure });
    using client = await RawClient.connect(server);
    client.pause();
    client.send(get("/"));
    using other = await RawClient.connect(server);
    await other.ask(get("/"));
    // Lingers without a slow kernel queue, so for two seconds.
    expect(await other.ended()).toBe("fin");
    const chatter = setInterval(() => client.send("x"), 20);
    try {
      const opened = performance.now();
      while (performance.now() - opened < 4000) {
        using again = await RawClient.connect(server);
        await again.ask(get("/"));
      }
    } finally {
      clearInterval(chatter);
    }
    client.resume();
    const { complete, body } = await client.answer();
    expect([complete, body.length]).toEqual([true, 1_500_000]);
  });

  test("a refused upload is answered, whatever of it still comes", async () => {
    await using server = await gunicorn({
      files: { "app.ts": app },
      secure,
      args: ["--limit-request-body", "10"],
    });
    using client = await RawClient.connect(server);
    client.send(requestText("POST", "/", ["Content-Length: 9000000"]));
    client.send("x".repeat(9_000_000));
    expect((await client.answer()).status).toBe(413);
    await client.sent();
    expect(await client.ended()).toBe("fin");
  });
});

import { describe, expect, test } from "bun:test";
import { field } from "../support/raw-client.ts";
import { until } from "../support/server.ts";
import { get, get10, post, requestText, transports, useWire } from "../support/wire.ts";

// Worker class serve refuses the setting: Bun.serve has one timer for all that is idle.

describe.each(transports)("-k async --keep-alive 1 over %s", (transport) => {
  const wire = useWire({
    kind: "async",
    transport,
    app: "requests.ts",
    args: ["--keep-alive", "1"],
  });

  // One server, and time passes for all at once.
  test.concurrent.each([
    ["a request", get("/")],
    ["HTTP/1.0 with keep-alive", get10("/", "Connection: keep-alive")],
    ["a body", post("/text", "hello")],
    ["an unread body", post("/", "abc")],
    ["a stream", requestText("POST", "/echo", ["Content-Length: 5"]) + "hello"],
    ["pipelined requests", get("/number?1") + get("/")],
  ])("an idle connection closes after a second, and not before: %s", async (_claim, request) => {
    using client = await wire.connect();
    // The server's clock starts later: with its answer, which the client may read late.
    const before = performance.now();
    client.send(request);
    await client.seen("hello");
    expect(await client.ended()).toBe("fin");
    expect(performance.now() - before).toBeGreaterThan(950);
  });

  test.concurrent("a request in time starts the second anew", async () => {
    // On a loaded machine a request may be late, and then its connection may be closed: that says nothing.
    await until("three requests in time", async () => {
      using client = await wire.connect();
      let sinceMs = performance.now();
      for (let count = 0; count < 3; count++) {
        const dueMs = count === 0 ? 0 : sinceMs + 600;
        while (performance.now() < dueMs) await wire.ask(get("/"));
        const askedMs = performance.now();
        const answer = await client.ask(get("/")).catch(() => null);
        if (performance.now() - sinceMs > 900) return false;
        expect(answer?.body.toString()).toBe("hello");
        sinceMs = askedMs;
      }
      return (await client.ended()) === "fin";
    });
  });

  test.concurrent("a request that takes longer isn't cut", async () => {
    using client = await wire.connect();
    using idle = await wire.connect();
    client.send(get("/wait?slow"));
    await idle.ask(get("/"));
    // Two whole periods of another connection.
    expect(await idle.ended()).toBe("fin");
    using second = await wire.connect();
    await second.ask(get("/"));
    expect(await second.ended()).toBe("fin");
    await wire.ask(get("/open-gate?slow"));
    expect((await client.answer()).body.toString()).toBe("waited");
  });

  test.concurrent("a head that has begun isn't idle", async () => {
    using client = await until("a head in time", async () => {
      const one = await wire.connect();
      const sinceMs = performance.now();
      await one.ask(get("/"));
      one.send("GET / HTTP/1.1\r\n");
      if (performance.now() - sinceMs < 500) return one;
      one[Symbol.dispose]();
      return null;
    });
    using idle = await wire.connect();
    await idle.ask(get("/"));
    expect(await idle.ended()).toBe("fin");
    expect((await client.ask("Host: test\r\n\r\n")).body.toString()).toBe("hello");
  });
});

describe.each(transports)("-k async --keep-alive 0 over %s", (transport) => {
  const wire = useWire({
    kind: "async",
    transport,
    app: "requests.ts",
    args: ["--keep-alive", "0"],
  });

  test.each([
    ["1.1", get("/")],
    ["1.1 with keep-alive", get("/", "Connection: keep-alive")],
    ["1.0 with keep-alive", get10("/", "Connection: keep-alive")],
    ["a body", post("/text", "hello")],
    ["pipelined requests", get("/") + get("/number?2")],
  ])("each answer ends its connection: %s", async (_claim, request) => {
    using client = await wire.connect();
    const answer = await client.ask(request);
    expect([answer.body.toString(), field(answer, "connection")]).toEqual(["hello", "close"]);
    expect(await client.ended()).toBe("fin");
    expect(client.unread).toBe(0);
  });
});

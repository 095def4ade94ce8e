import { describe, expect, test } from "bun:test";
import { RawClient } from "../support/raw-client.ts";
import { until } from "../support/server.ts";
import { columns, get, post, requestText, useWire } from "../support/wire.ts";

interface State {
  readonly name: string;
  readonly send: string;
  /** What the server does before the client leaves. */
  readonly seen?: string;
  /** The client doesn't read. */
  readonly deaf?: true;
}

const inChunks = ["Transfer-Encoding: chunked"];

/** Where a connection can be when its client vanishes. */
const states: readonly State[] = [
  { name: "nothing sent", send: "" },
  { name: "a part of a request line", send: "GET /" },
  { name: "a part of a field", send: "GET / HTTP/1.1\r\nHost: te" },
  { name: "a part of a body", send: post("/text", "abc").slice(0, -1) },
  { name: "a part of a chunk", send: `${requestText("POST", "/text", inChunks)}5\r\nabc` },
  { name: "a part of an unread body", send: post("/wait?calm", "abc").slice(0, -1) },
  {
    name: "an echo under way",
    send: `${requestText("POST", "/echo", inChunks)}3\r\nabc\r\n`,
    seen: "abc",
  },
  { name: "the app at work", send: get("/wait?calm") },
  { name: "the app waiting for the signal", send: get("/signal") },
  {
    name: "100 Continue sent",
    send: requestText("POST", "/text", ["Expect: 100-continue", "Content-Length: 3"]),
    seen: "100",
  },
  { name: "idle after an answer", send: get("/"), seen: "hello" },
  { name: "many requests sent, no answer read", send: get("/").repeat(5000), deaf: true },
  { name: "requests behind one that waits", send: get("/wait?calm") + get("/").repeat(1000) },
  { name: "refused", send: "x\r\n", seen: "400" },
  { name: "refused, no answer read", send: "x\r\n", deaf: true },
  { name: "told to close", send: get("/", "Connection: close"), seen: "hello" },
];

describe.each(columns)("-k %s over %s: stays calm when a client leaves with", (kind, transport) => {
  const wire = useWire({ kind, transport, app: "requests.ts" });

  test.each(states.map((state) => [state.name, state] as const))("%s", async (_name, state) => {
    const mark = wire.server.log.length;
    for (const leave of ["reset", "end"] as const) {
      for (let count = 0; count < 5; count++) {
        const client = await wire.connect();
        if (state.deaf) client.pause();
        client.send(state.send);
        if (state.seen !== undefined) await client.seen(state.seen);
        // With every second one the server has surely read before the client leaves.
        if (count % 2 === 0) await wire.ask(get("/"));
        if (leave === "reset") client.reset();
        else client[Symbol.dispose]();
      }
    }
    expect((await wire.ask(get("/"))).body.toString()).toBe("hello");
    await wire.ask(get("/open-gate?calm"));
    await until("no request under way", async () => {
      const facts = JSON.parse((await wire.ask(get("/server"))).body.toString()) as {
        readonly pendingRequests: number;
      };
      return facts.pendingRequests === 1;
    });
    if (kind === "async") expect(wire.server.log.slice(mark)).not.toMatch(/ERROR|CRITICAL/);
  });

  test("200 idle connections, and still serves at once", async () => {
    const idle = await Promise.all(Array.from({ length: 200 }, () => wire.connect()));
    expect((await wire.ask(get("/"))).body.toString()).toBe("hello");
    // Each of them, too, after it has waited.
    for (const client of idle) client.send(get("/number?idle"));
    for (const client of idle) {
      expect((await client.answer()).body.toString()).toBe("?idle");
      client[Symbol.dispose]();
    }
  });

  test("200 half heads, and still serves at once", async () => {
    const slow = await Promise.all(Array.from({ length: 200 }, () => wire.connect()));
    for (const client of slow) client.send("GET /number?slow HTTP/1.1\r\nHost: te");
    expect((await wire.ask(get("/"))).body.toString()).toBe("hello");
    for (const client of slow) client.send("st\r\n\r\n");
    for (const client of slow) {
      expect((await client.answer()).body.toString()).toBe("?slow");
      client[Symbol.dispose]();
    }
  });

  test("500 connections opened and closed at once", async () => {
    for (let round = 0; round < 5; round++) {
      const { port } = wire.server;
      const clients = await Promise.all(Array.from({ length: 100 }, () => RawClient.connect(port)));
      for (const [index, client] of clients.entries()) {
        if (index % 2 === 0) client.reset();
        else client[Symbol.dispose]();
      }
    }
    expect((await wire.ask(get("/"))).body.toString()).toBe("hello");
  });
});

/** A socket may take any number of bytes: what the client gets in the end is the same, byte for byte. */
import { describe, expect, test } from "bun:test";
import {
  FakeEngine,
  type FakeEngineOptions,
  type Fetch,
  nextTurn,
} from "../../../support/fake-engine.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

function streamOf(...chunks: readonly string[]): ReadableStream {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      await Promise.resolve();
      const chunk = chunks[at++];
      if (chunk === undefined) controller.close();
      else controller.enqueue(Buffer.from(chunk));
    },
  });
}

const rows: [claim: string, request: string, fetch: Fetch, options?: FakeEngineOptions][] = [
  ["text", get("/"), () => new Response("hello")],
  ["text beyond ASCII", get("/"), () => new Response("h\u00e9llo \u{1f600}")],
  ["bytes", get("/"), () => new Response(new Uint8Array([0, 128, 255, 10]))],
  ["no body", get("/"), () => new Response(null, { status: 204 })],
  ["an answer to HEAD", "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", () => new Response("hello")],
  ["a stream in chunks", get("/"), () => new Response(streamOf("one", "two", "three"))],
  ["an empty stream", get("/"), () => new Response(streamOf())],
  [
    "a stream of a known length",
    get("/"),
    () => new Response(streamOf("one", "two"), { headers: { "content-length": "6" } }),
  ],
  ["a stream to HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", () => new Response(streamOf("one", "two"))],
  [
    "three pipelined answers",
    get("/1") + get("/2") + get("/3"),
    (request) => new Response(new URL(request.url).pathname),
  ],
  ["a refusal behind an answer", `${get("/")}nonsense\r\n\r\n`, () => new Response("hello")],
  [
    "an answer that is late",
    get("/"),
    async () => {
      await nextTurn();
      return new Response("late");
    },
  ],
  [
    "100 Continue before the answer",
    "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    async (request) => new Response(`got ${await request.text()}`),
  ],
  [
    "an error page",
    get("/"),
    () => {
      throw new Error("no");
    },
  ],
  [
    "the answer of an error handler",
    get("/"),
    () => {
      throw new Error("no");
    },
    { error: (error) => new Response(String(error), { status: 503 }) },
  ],
];

/** What the client gets of a socket that takes `perDrain` bytes at a time. */
async function received(
  request: string,
  fetch: Fetch,
  options: FakeEngineOptions | undefined,
  perDrain: number,
): Promise<{ text: string; ended: string[]; did: string[]; inFlight: number }> {
  const engine = new FakeEngine(fetch, options);
  const wire = new FakeWire();
  wire.room = perDrain;
  engine.connect(wire);
  wire.send(request);
  await engine.settle();
  if (request.includes("Expect")) {
    for (let left = 40; left > 0 && !wire.closed; left--) wire.drain(perDrain);
    wire.send("ok");
  }
  for (let idle = 0; idle < 2;) {
    const before = wire.text.length;
    for (let turn = 0; turn < 200; turn++) wire.drain(perDrain);
    await engine.settle();
    idle = wire.text.length === before ? idle + 1 : 0;
  }
  const text = wire.text.replace(/Date: [^\r]*/g, "Date");
  return { text, ended: engine.ended, did: wire.did, inFlight: engine.inFlight };
}

describe.each([1, 2, 7, 100])("a socket that takes %d bytes at a time", (perDrain) => {
  test.each(rows)("%s", async (...row) => {
    const [, request, fetch, options] = row;
    const whole = await received(request, fetch, options, Number.POSITIVE_INFINITY);
    const parts = await received(request, fetch, options, perDrain);
    expect(whole.text).toStartWith("HTTP/1.1 ");
    expect(parts).toEqual(whole);
    expect(parts.inFlight).toBe(0);
  });
});

test("nothing is written again until the socket takes bytes", () => {
  const engine = new FakeEngine();
  const wire = new FakeWire();
  wire.room = 10;
  engine.connect(wire);
  wire.send(get("/"));
  expect(wire.writes).toBe(1);
  wire.send(get("/"));
  wire.send(get("/"));
  engine.tick();
  expect(wire.writes).toBe(1);
  wire.drain();
  expect(wire.text.match(/hello/g)).toHaveLength(3);
});

test("a request in pieces of any size is the same request", () => {
  const text = `${get("/a")}POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc${get("/c")}`;
  for (let size = 1; size <= text.length; size++) {
    const engine = new FakeEngine();
    engine.connect().send(text, size);
    expect(engine.events).toEqual(["GET /a", "POST /b", "GET /c"]);
    expect(engine.inFlight).toBe(0);
  }
});

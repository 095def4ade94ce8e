/** Behind a short last answer to a client that has said and sent all, nobody waits for its FIN. */
import { describe, expect, test } from "bun:test";
import { FakeEngine, type FakeEngineOptions, type Fetch } from "../../../support/fake-engine.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

const first = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const upload = `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n`;
const hello: Fetch = () => new Response("hello");
const large: Fetch = () => new Response("x".repeat(17_000));

async function* pieces() {
  yield "a";
  yield "b";
}

interface Row {
  readonly claim: string;
  readonly fetch?: Fetch;
  readonly sent: readonly string[];
  readonly options?: FakeEngineOptions;
  readonly room?: number;
}

async function ended({ fetch = hello, sent, options = {}, room }: Row): Promise<FakeWire> {
  const engine = new FakeEngine(fetch, { holdsBack: true, ...options });
  const wire = new FakeWire();
  if (room !== undefined) wire.room = room;
  engine.connect(wire);
  for (const each of sent) {
    wire.send(each);
    await engine.settle();
  }
  if (room !== undefined) wire.drain();
  await engine.settle();
  expect(engine.connections).toBe(wire.closed ? 0 : 1);
  expect(engine.left).toBe(wire.closed ? 1 : 0);
  return wire;
}

describe("the connection closes at once behind the answer to", () => {
  test.each<Row>([
    { claim: "Connection: close", sent: [last] },
    { claim: "a head in pieces", sent: [last.slice(0, 20), last.slice(20)] },
    { claim: "HTTP/1.0", sent: ["GET / HTTP/1.0\r\n\r\n"] },
    { claim: "HEAD", sent: [last.replace("GET", "HEAD")] },
    { claim: "pipelined requests, in one piece", sent: [first + last] },
    {
      claim: "a request that is answered later",
      fetch: async () => hello(null!, null!),
      sent: [last],
    },
    {
      claim: "a request of a worker that keeps none",
      sent: [last],
      options: { config: { keepalive: 0 } },
    },
    {
      claim: "what the app has failed at",
      fetch: () => Promise.reject(new Error("no")),
      sent: [last],
    },
  ])("$claim", async (row) => {
    const wire = await ended(row);
    expect(wire.did).toEqual(["hold back", "close"]);
    expect(wire.text).toMatch(/^HTTP\/1\.1 (200|500) [^]*\r\n\r\n/);
  });
});

describe("the client's FIN is waited for behind the answer", () => {
  test.each<Row>([
    {
      claim: "that the server doesn't go on after",
      sent: [first],
      options: { config: { keepalive: 0 } },
    },
    {
      claim: "that the app doesn't go on after",
      fetch: () => new Response("", { headers: { connection: "close" } }),
      sent: [first],
    },
    { claim: "to a request with bytes behind it", sent: [`${last}x`] },
    { claim: "to another one than the first", sent: [first, last] },
    {
      claim: "to a request with a body, behind which old clients send CRLF",
      fetch: async (request) => new Response(await request.text()),
      sent: [`${upload}\r\nabc`],
    },
    { claim: "to a request whose body has not come", sent: [`${upload}\r\n`] },
    {
      claim: "to a client that awaits 100 Continue",
      sent: [`${upload}Expect: 100-continue\r\n\r\n`],
    },
    { claim: "that is a refusal", sent: ["nonsense\r\n\r\n"] },
    {
      claim: "that refuses a body",
      sent: [upload.replace(": 3", ": 999") + "\r\n"],
      options: { config: { limitRequestBody: 9 } },
    },
    { claim: "that is larger than what is held back", fetch: large, sent: [last] },
    {
      claim: "that is written in pieces",
      fetch: () => new Response(pieces()),
      sent: [last],
    },
    { claim: "that the socket has taken in part at first", sent: [last], room: 10 },
    { claim: "of which the socket has taken nothing at first", sent: [last], room: 0 },
    { claim: "where nothing is held back", sent: [last], options: { holdsBack: false } },
  ])("$claim", async (row) => {
    const wire = await ended(row);
    expect(wire.did.at(-1)).toBe("shutdown");
    expect(wire.did).not.toContain("close");
    wire.fin();
    expect(wire.did.at(-1)).toBe("end");
  });
});

test("bytes that come with the last request's, but aren't read yet, are waited for", () => {
  const wire = new FakeEngine(hello, { holdsBack: true }).connect();
  wire.sendBefore(last, ["x"]);
  expect(wire.did).toEqual(["hold back", "shutdown"]);
});

test("a client whose connection has idled may not have taken what it was sent before", () => {
  const engine = new FakeEngine(hello, { holdsBack: true, config: { keepalive: 60 } });
  const wire = engine.connect();
  wire.send(first);
  engine.tick(4);
  wire.send(last);
  expect(wire.did).toEqual(["hold back", "shutdown"]);
});

test("in a drain the same holds, and observers are told once", async () => {
  const engine = new FakeEngine(hello, { holdsBack: true });
  const [wire, other] = [engine.connect(), engine.connect()];
  engine.drain();
  wire.send(last);
  other.send(first);
  await engine.settle();
  expect([wire.did.at(-1), other.did.at(-1)]).toEqual(["close", "shutdown"]);
  expect(engine.told).toEqual(["GET / 200 5", "GET / 200 5"]);
  expect([engine.connections, engine.left]).toEqual([1, 1]);
});

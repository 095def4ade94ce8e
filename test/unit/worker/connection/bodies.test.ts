/**
 * Bodies that are read from the socket itself, beside those that come by its events: the app gets each byte once, and
 * the next request is whole.
 */
import { describe, expect, test } from "bun:test";
import { FakeEngine, statuses, ticks } from "../../../support/fake-engine.ts";
import type { FakeWire } from "../../../support/fake-wire.ts";

/** A prime number of bytes, so that no two pieces of the same length are alike. */
const pattern = Buffer.from(
  Uint8Array.from({ length: 10_007 }, (_, index) => (index * 7 + (index >> 8)) % 256),
);

const content = (length: number, seed = 0) => Buffer.alloc(length, pattern.subarray(seed));

const post = (body: Buffer, ...lines: string[]) =>
  [
    "POST /upload HTTP/1.1",
    "Host: x",
    `Content-Length: ${body.length}`,
    ...lines,
    "",
    body.toString("latin1"),
  ].join("\r\n");

const digest = (body: Uint8Array) => new Bun.CryptoHasher("sha1").update(body).digest("hex");

/** Answers with what has come. */
const echo = async (request: Request) =>
  new Response(request.method === "GET" ? "next" : digest(await request.bytes()));

const get = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

/** The pieces of a text by their lengths, the last being the rest; negative ones wait in the kernel. */
function deliver(wire: FakeWire, text: string, lengths: readonly number[]): void {
  let at = 0;
  const pieces = lengths.map((length) => {
    const piece = text.slice(at, at + Math.abs(length));
    at += Math.abs(length);
    return [length < 0, piece] as const;
  });
  // Those that wait are behind the event that makes the engine look.
  for (let index = 0; index < pieces.length; index++) {
    const [, piece] = pieces[index]!;
    const behind: string[] = [];
    while (pieces[index + 1]?.[0] === true) behind.push(pieces[(index += 1)]![1]);
    wire.sendBefore(piece, behind);
  }
  wire.send(text.slice(at));
}

interface Row {
  readonly lengths: readonly number[];
  readonly size?: number;
  /** How many reads of its own have given something; without it at least one. */
  readonly received?: number;
  readonly chunked?: boolean;
}

const rows: [claim: string, row: Row][] = [
  ["the rest of a body behind its head", { lengths: [5000, -295_100] }],
  [
    "a body in many pieces of both kinds",
    { lengths: [100, 3000, -70_000, 10, -100, -90_000, 50_000] },
  ],
  ["a body and a part of the next request", { lengths: [5000] }],
  ["a body whose head comes in two pieces", { lengths: [20, 100, -100_000, -100_000] }],
  ["a body of which the head's chunk has half", { lengths: [150_000, -100_000] }],
  [
    "a body larger than what its length is believed for",
    { size: 3_000_000, lengths: [200, -2_000_000, 1] },
  ],
  ["the last bytes, which aren't worth a system call", { lengths: [290_000, -100], received: 0 }],
  ["a small body", { size: 10_000, lengths: [100, -5000], received: 0 }],
];

describe("a body of known length that the app gathers", () => {
  test.each(rows)("%s", async (_, { lengths, size = 300_000, received }) => {
    const engine = new FakeEngine(echo, { receives: true });
    const wire = engine.connect();
    const bodies = [content(size), content(size, 99)];
    const text = bodies.map((body) => post(body)).join("");
    deliver(wire, text.slice(0, text.length / 2), lengths);
    await engine.settle();
    deliver(wire, text.slice(text.length / 2), lengths);
    wire.send(get);
    await engine.settle();
    const answers = wire.text;
    expect(statuses(answers)).toEqual([200, 200, 200]);
    for (const body of bodies) expect(answers).toContain(digest(body));
    expect(answers.endsWith("next")).toBe(true);
    if (received !== undefined) expect(wire.received).toBe(received);
    expect(engine.inFlight).toBe(0);
  });

  test.each(["text", "arrayBuffer", "blob", "bytes"] as const)("by %s()", async (kind) => {
    const body = Buffer.from("0123456789".repeat(20_000));
    const engine = new FakeEngine(
      async (request) => {
        const value: unknown = await request[kind]();
        return new Response(digest(await new Response(value as Bun.BodyInit).bytes()));
      },
      { receives: true },
    );
    const wire = engine.connect();
    deliver(wire, post(body), [4000, -100_000]);
    await engine.settle();
    expect(wire.text).toContain(digest(body));
    expect(wire.received).toBeGreaterThan(0);
  });

  test("pieces of any size, of either kind", async () => {
    let random = 1;
    const next = (below: number) => (random = (random * 48_271) % 0x7fffffff) % below;
    for (let round = 0; round < 20; round++) {
      const engine = new FakeEngine(echo, { receives: true });
      const wire = engine.connect();
      const bodies = Array.from({ length: 3 }, () => content(next(120_000), next(256)));
      const text = bodies.map((body) => post(body)).join("") + get;
      const lengths: number[] = [];
      for (let left = text.length; left > 0;) {
        const length = 1 + next(round % 2 === 0 ? 9000 : 90_000);
        lengths.push(next(2) === 0 ? length : -length);
        left -= length;
      }
      deliver(wire, text, lengths);
      await engine.settle();
      await engine.settle();
      for (const body of bodies) expect(wire.text).toContain(digest(body));
      expect(statuses(wire.text)).toEqual([200, 200, 200, 200]);
    }
  }, 60_000);

  test("a pipelined request before it keeps its head", async () => {
    const seen: Request[] = [];
    const engine = new FakeEngine(
      async (request) => {
        seen.push(request);
        return await echo(request);
      },
      { receives: true },
    );
    const wire = engine.connect();
    const first = "GET /first HTTP/1.1\r\nHost: x\r\nX-Kept: yes\r\n\r\n";
    deliver(wire, first + post(content(300_000)), [100_000, -100_000]);
    await engine.settle();
    expect(statuses(wire.text)).toEqual([200, 200]);
    expect(seen.map((request) => request.headers.get("x-kept"))).toEqual(["yes", null]);
    expect(seen.map((request) => new URL(request.url).pathname)).toEqual(["/first", "/upload"]);
  });
});

describe("a body that isn't gathered, or has no length", () => {
  test.each([
    [
      "a stream",
      async (request: Request) => {
        const hash = new Bun.CryptoHasher("sha1");
        for await (const piece of request.body ?? []) hash.update(piece);
        return new Response(hash.digest("hex"));
      },
    ],
    ["a clone", async (request: Request) => new Response(digest(await request.clone().bytes()))],
  ])("%s comes by events", async (_, fetch) => {
    const engine = new FakeEngine(fetch, { receives: true });
    const wire = engine.connect();
    const body = content(300_000);
    deliver(wire, post(body), [5000, -100_000, 50_000]);
    for (let turn = 0; turn < 10; turn++) await engine.settle();
    expect(wire.text).toContain(digest(body));
    expect(wire.received).toBe(0);
  });

  test("chunks come by events", async () => {
    const engine = new FakeEngine(echo, { receives: true });
    const wire = engine.connect();
    const body = content(100_000);
    const chunks = `186a0\r\n${body.toString("latin1")}\r\n0\r\nX-Trailer: 1\r\n\r\n`;
    const head = "POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    deliver(wire, head + chunks + get, [1000, -50_000]);
    await engine.settle();
    expect(wire.text).toContain(digest(body));
    expect(wire.text.endsWith("next")).toBe(true);
    expect(wire.received).toBe(0);
  });
});

describe("a body that won't be whole", () => {
  // What has come of it, in bytes of the whole request.
  test.each([200, 5000, 70_000, 299_000])("a client that leaves after %d bytes", async (sent) => {
    for (const how of ["fin", "reset"] as const) {
      const errors: string[] = [];
      const engine = new FakeEngine(
        async (request) => {
          await request.bytes().catch((error: Error) => errors.push(error.name));
          return new Response("late");
        },
        { receives: true },
      );
      const wire = engine.connect();
      const text = post(content(300_000)).slice(0, sent);
      wire.sendBefore(text.slice(0, 150), [text.slice(150)]);
      await engine.settle();
      wire[how]();
      await engine.settle();
      expect(errors).toEqual(["AbortError"]);
      expect(engine.inFlight).toBe(0);
      engine.tick(100);
      expect(engine.connections).toBe(0);
    }
  });

  test("body_timeout counts from the last bytes, however they have come", async () => {
    const engine = new FakeEngine(echo, { receives: true, config: { bodyTimeout: 3 } });
    const wire = engine.connect();
    const text = post(content(300_000));
    wire.send(text.slice(0, 1000));
    engine.tick(ticks(3) - 1);
    wire.sendBefore(text.slice(1000, 1001), [text.slice(1001, 100_000)]);
    engine.tick(ticks(3) - 1);
    expect(wire.text).toBe("");
    engine.tick(2);
    expect(statuses(wire.text)).toEqual([408]);
    await engine.settle();
  });

  test("limit_request_body is judged before", async () => {
    const engine = new FakeEngine(echo, { receives: true, config: { limitRequestBody: 100_000 } });
    const wire = engine.connect();
    deliver(wire, post(content(300_000)), [1000, -200_000]);
    await engine.settle();
    expect(statuses(wire.text)).toEqual([413]);
    expect(wire.received).toBe(0);
  });

  test("100 Continue is sent first", async () => {
    const engine = new FakeEngine(echo, { receives: true });
    const wire = engine.connect();
    const body = content(300_000);
    const text = post(body, "Expect: 100-continue");
    const head = text.length - body.length;
    wire.send(text.slice(0, head));
    expect(wire.take()).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    deliver(wire, text.slice(head), [1000, -200_000]);
    await engine.settle();
    expect(wire.text).toContain(digest(body));
    expect(wire.received).toBeGreaterThan(0);
  });
});

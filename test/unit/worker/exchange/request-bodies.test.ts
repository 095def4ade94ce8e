/** A request's body between client and app: when it is asked for, who waits, and what becomes of the rest. */
import { describe, expect, test } from "bun:test";
import {
  bodies,
  FakeEngine,
  type Fetch,
  later,
  statuses,
  nextTurn,
} from "../../../support/fake-engine.ts";

const post = (length: number, fields = "") =>
  `POST /a HTTP/1.1\r\nHost: x\r\n${fields}Content-Length: ${length}\r\n\r\n`;
const chunked = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
const get = "GET /b HTTP/1.1\r\nHost: x\r\n\r\n";
const echo: Fetch = async (request) => new Response(await request.text());
const cancelling: Fetch = async (request) => {
  await request.body?.cancel();
  return new Response("enough");
};
const expecting = (length: number) => post(length, "Expect: 100-continue\r\n");
const goOn = "HTTP/1.1 100 Continue\r\n\r\n";

/** A client, and an app that answers with the body once it is asked to read. */
function readingWhenAsked() {
  const asked = Promise.withResolvers<void>();
  const engine = new FakeEngine(async (request) => {
    await asked.promise;
    return new Response(await request.text());
  });
  return { ask: asked.resolve, engine, wire: engine.connect() };
}

describe("a body", () => {
  test.each<[claim: string, sent: string, body: string]>([
    ["of a length", `${post(3)}abc`, "abc"],
    ["of length 0", post(0), ""],
    ["in chunks", `${chunked}1\r\na\r\n2;x=y\r\nbc\r\n0\r\n\r\n`, "abc"],
    ["in chunks, with a trailer", `${chunked}3\r\nabc\r\n0\r\nX-A: b\r\n\r\n`, "abc"],
    ["of no chunk", `${chunked}0\r\n\r\n`, ""],
  ])("%s reaches the app, in pieces of any size", async (_claim, sent, body) => {
    for (let size = 1; size <= sent.length; size += 1 + Math.floor(size / 3)) {
      const engine = new FakeEngine(echo);
      const wire = engine.connect();
      wire.send(sent + get, size);
      await engine.settle();
      expect(bodies(wire.text)).toEqual([body, ""]);
      expect(engine.inFlight).toBe(0);
    }
  });

  test("is there when the app is asked, if it came with the head", () => {
    let read: unknown = null;
    const engine = new FakeEngine((request) => {
      read = Bun.peek(request.text());
      return new Response("hello");
    });
    engine.connect().send(`${post(3)}abc`);
    expect(read).toBe("abc");
  });

  test("starts the app before it is complete", async () => {
    const engine = new FakeEngine(echo);
    const wire = engine.connect();
    wire.send(`${post(3)}a`);
    expect(engine.events).toEqual(["POST /a"]);
    wire.send("bc");
    await engine.settle();
    expect(bodies(wire.text)).toEqual(["abc"]);
  });

  test("that the app doesn't read stops the socket, and reading it lets it go on", async () => {
    let ask = () => {};
    const asked = new Promise<void>((resolve) => (ask = resolve));
    const engine = new FakeEngine(async (request) => {
      await asked;
      return new Response(String((await request.text()).length));
    });
    const wire = engine.connect();
    wire.send(post(200_000) + "x".repeat(100_000));
    expect(wire.paused).toBe(true);
    wire.send("x".repeat(100_000));
    ask();
    await engine.settle();
    expect(bodies(wire.text)).toEqual(["200000"]);
    expect(wire.did).toEqual(["pause", "resume"]);
  });

  test("that comes in one piece, and whole, stops nothing, whatever follows", async () => {
    const read: string[] = [];
    const engine = new FakeEngine(async (request) => {
      await Promise.resolve();
      const text = await request.text();
      read.push(text);
      return new Response(String(text.length));
    });
    const wire = engine.connect();
    const [first, second] = ["x".repeat(100_000), "y".repeat(20_000)];
    wire.send(post(100_000) + first);
    await engine.settle();
    expect(wire.did).toEqual([]);
    wire.send(post(20_000) + second + post(100_000) + first + post(2) + "zz");
    await engine.settle();
    expect(bodies(wire.text)).toEqual(["100000", "20000", "100000", "2"]);
    expect(read).toEqual([first, second, first, "zz"]);
  });

  test("read as a stream comes piece by piece", async () => {
    const pieces: string[] = [];
    const engine = new FakeEngine(async (request) => {
      for await (const piece of request.body as ReadableStream<Uint8Array>)
        pieces.push(Buffer.from(piece).toString());
      return new Response("all");
    });
    const wire = engine.connect();
    wire.send(`${post(4)}ab`);
    await engine.settle();
    wire.send("cd");
    await engine.settle();
    expect(pieces).toEqual(["ab", "cd"]);
    expect(bodies(wire.text)).toEqual(["all"]);
  });

  test("that is answered before it is complete: the rest is dropped, and the next request answered", () => {
    const engine = new FakeEngine();
    const wire = engine.connect();
    wire.send(`${chunked}3\r\nabc\r\n`);
    expect(statuses(wire.text)).toEqual([200]);
    expect(wire.text).toContain("Connection: close");
  });

  test("whose reader stops, and of which much is left, costs the connection", async () => {
    const engine = new FakeEngine(cancelling);
    const wire = engine.connect();
    wire.send(`${post(1_000_000)}abc`);
    await engine.settle();
    expect(wire.did).toEqual(["shutdown"]);
  });

  test("whose reader stops, and of which little is left, doesn't", async () => {
    const engine = new FakeEngine(cancelling);
    const wire = engine.connect();
    wire.send(`${post(10)}abc`);
    await engine.settle();
    wire.send(`defghij${get}`);
    await engine.settle();
    expect(statuses(wire.text)).toEqual([200, 200]);
  });

  test("read behind the answer is an error, not a wait for ever", async () => {
    let failed = "";
    const engine = new FakeEngine((request) => {
      void nextTurn()
        .then(() => request.text())
        .catch((error: Error) => (failed = error.name));
      return new Response("hello");
    });
    engine.connect().send(`${post(10)}abc`);
    await engine.settle();
    expect(failed).toBe("AbortError");
  });

  test("that is being read behind the answer still comes", async () => {
    let read = "";
    const engine = new FakeEngine((request) => {
      void request.text().then((text) => (read = text));
      return new Response("hello");
    });
    const wire = engine.connect();
    wire.send(`${post(6)}abc`);
    await engine.settle();
    wire.send(`def${get}`);
    await engine.settle();
    expect(read).toBe("abcdef");
    expect(statuses(wire.text)).toEqual([200, 200]);
  });
});

describe("100 Continue", () => {
  test("is sent when the app reads, once", async () => {
    const { ask, engine, wire } = readingWhenAsked();
    wire.send(expecting(3));
    expect(wire.text).toBe("");
    ask();
    await engine.settle();
    expect(wire.take()).toBe(goOn);
    wire.send("abc");
    await engine.settle();
    expect(bodies(wire.text)).toEqual(["abc"]);
  });

  test("is sent at once if the app reads at once", () => {
    const engine = new FakeEngine(echo);
    const wire = engine.connect();
    wire.send(expecting(3));
    expect(wire.text).toBe(goOn);
  });

  test("isn't sent if the body is there", async () => {
    const engine = new FakeEngine(echo);
    const wire = engine.connect();
    wire.send(`${expecting(3)}abc`);
    await engine.settle();
    expect(statuses(wire.text)).toEqual([200]);
  });

  test("isn't sent if the app doesn't read: the connection ends, since the client may or may not send", () => {
    const engine = new FakeEngine();
    const wire = engine.connect();
    wire.send(expecting(3));
    expect(statuses(wire.text)).toEqual([200]);
    expect(wire.text).toContain("Connection: close");
    expect(wire.did).toEqual(["shutdown"]);
  });

  test("isn't sent to HTTP/1.0", () => {
    const engine = new FakeEngine(echo);
    const wire = engine.connect();
    wire.send("POST /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    expect(wire.text).toBe("");
  });

  test("isn't sent to a client that has left", async () => {
    const { ask, engine, wire } = readingWhenAsked();
    wire.send(expecting(3));
    wire.reset();
    ask();
    await engine.settle();
    expect(wire.text).toBe("");
    expect(engine.inFlight).toBe(0);
    expect(engine.told).toEqual(["POST /a 499 0"]);
  });

  test("is sent behind a pipelined answer, in order", async () => {
    const first = later();
    const engine = new FakeEngine((request, server) =>
      request.method === "GET" ? first.promise : echo(request, server),
    );
    const wire = engine.connect();
    wire.send(get + expecting(3));
    expect(wire.text).toBe("");
    first.resolve(new Response("first"));
    await engine.settle();
    expect(statuses(wire.text)).toEqual([200, 100]);
  });
});

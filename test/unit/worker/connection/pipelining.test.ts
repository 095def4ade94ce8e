/** Requests on one connection: in order, one at a time, and no more of them than the client takes answers. */
import { describe, expect, test } from "bun:test";
import { bodies, FakeEngine, later, statuses } from "../../../support/fake-engine.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

const get = (path: string, fields = "") => `GET ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;
const pathOf = (request: Request) => new URL(request.url).pathname;

describe("pipelined requests", () => {
  test("of an app that answers at once leave in one write", () => {
    const engine = new FakeEngine((request) => new Response(pathOf(request)));
    const wire = engine.connect();
    wire.send(get("/1") + get("/2") + get("/3"));
    expect(bodies(wire.text)).toEqual(["/1", "/2", "/3"]);
    expect(wire.writes).toBe(1);
  });

  test("wait for the answer before them", async () => {
    const answers = { "/1": later(), "/2": later(), "/3": later() };
    const engine = new FakeEngine(
      (request) => answers[pathOf(request) as keyof typeof answers].promise,
    );
    const wire = engine.connect();
    wire.send(get("/1") + get("/2") + get("/3"));
    for (const path of ["/1", "/2", "/3"] as const) {
      expect(engine.events.at(-1)).toBe(`GET ${path}`);
      expect(engine.inFlight).toBe(1);
      answers[path].resolve(new Response(path));
      await engine.settle();
    }
    expect(bodies(wire.text)).toEqual(["/1", "/2", "/3"]);
    expect(engine.told).toEqual(["GET /1 200 2", "GET /2 200 2", "GET /3 200 2"]);
  });

  test("that come while an answer is under way are held, and reading pauses above the mark", async () => {
    const first = later();
    const engine = new FakeEngine((request) =>
      pathOf(request) === "/1" ? first.promise : new Response("hello"),
    );
    const wire = engine.connect();
    wire.send(get("/1"));
    const request = get("/2", `X: ${"x".repeat(4000)}\r\n`);
    let sent = 0;
    while (!wire.paused && sent < 100) {
      wire.send(request);
      sent += 1;
    }
    expect(sent).toBe(Math.ceil(65_537 / request.length));
    expect(engine.events).toEqual(["GET /1"]);
    first.resolve(new Response("hello"));
    await engine.settle();
    expect(wire.paused).toBe(false);
    expect(bodies(wire.text)).toHaveLength(sent + 1);
  });

  test("aren't parsed while the client doesn't take its answers", () => {
    const engine = new FakeEngine(() => new Response("x".repeat(1000)));
    const wire = new FakeWire();
    wire.room = 0;
    engine.connect(wire);
    wire.send(get("/").repeat(200));
    const asked = engine.events.length;
    expect(asked).toBeLessThan(70);
    expect(wire.paused).toBe(true);
    wire.drain();
    expect(engine.events).toHaveLength(200);
    expect(bodies(wire.text)).toHaveLength(200);
    expect(wire.did).toEqual(["pause", "resume"]);
  });

  test("behind `Connection: close` are dropped", () => {
    const engine = new FakeEngine();
    const wire = engine.connect();
    wire.send(get("/1", "Connection: close\r\n") + get("/2"));
    wire.send(get("/3"));
    expect(engine.events).toEqual(["GET /1"]);
    expect(wire.did).toEqual(["shutdown"]);
  });

  test("of HTTP/1.0 without keep-alive: one", () => {
    const engine = new FakeEngine();
    const wire = engine.connect();
    wire.send("GET /1 HTTP/1.0\r\n\r\nGET /2 HTTP/1.0\r\n\r\n");
    expect(engine.events).toEqual(["GET /1"]);
    expect(wire.did).toEqual(["shutdown"]);
  });

  test("of HTTP/1.0 with keep-alive: all", () => {
    const engine = new FakeEngine();
    const wire = engine.connect();
    wire.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".repeat(2));
    expect(engine.events).toHaveLength(2);
    expect(wire.did).toEqual([]);
  });

  test("with keepalive 0: one", () => {
    const engine = new FakeEngine(undefined, { config: { keepalive: 0 } });
    const wire = engine.connect();
    wire.send(get("/1") + get("/2"));
    expect(engine.events).toEqual(["GET /1"]);
    expect(wire.text).toContain("Connection: close");
  });

  test("behind a body that nobody reads", () => {
    const engine = new FakeEngine();
    const wire = engine.connect();
    const post = "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
    wire.send(`${post}${"x".repeat(400)}`);
    expect(statuses(wire.text)).toEqual([200]);
    wire.send(`${"x".repeat(600)}${get("/2")}`);
    expect(engine.events).toEqual(["POST /1", "GET /2"]);
  });

  test("behind the answer to a body that is more than the connection is worth: none", () => {
    const engine = new FakeEngine();
    const wire = engine.connect();
    wire.send("POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc");
    expect(wire.text).toContain("Connection: close");
    expect(wire.did).toEqual(["shutdown"]);
  });

  test("5000 answers that are there at once need no stack", () => {
    const engine = new FakeEngine();
    const wire = engine.connect();
    wire.send(get("/").repeat(5000));
    expect(bodies(wire.text)).toHaveLength(5000);
  });

  test("held behind a late answer need none either", async () => {
    const first = later();
    let asked = 0;
    const engine = new FakeEngine(() => (asked++ === 0 ? first.promise : new Response("hello")));
    const wire = engine.connect();
    wire.send(get("/").repeat(5000));
    first.resolve(new Response("hello"));
    await engine.settle();
    expect(bodies(wire.text)).toHaveLength(5000);
  });
});

describe("a client that is lingered for", () => {
  test("may send what it likes: it is read and dropped", () => {
    const engine = new FakeEngine();
    const wire = engine.connect();
    wire.send("nonsense\r\n\r\n");
    wire.send(get("/").repeat(3));
    expect(statuses(wire.text)).toEqual([400]);
    expect(wire.closed).toBe(false);
    wire.fin();
    expect(wire.did).toEqual(["shutdown", "end"]);
  });

  test("gets FIN when all is written, not before", () => {
    const engine = new FakeEngine();
    const wire = new FakeWire();
    wire.room = 30;
    engine.connect(wire);
    wire.send(get("/", "Connection: close\r\n"));
    expect(wire.did).toEqual([]);
    wire.drain(30);
    expect(wire.did).toEqual([]);
    wire.drain();
    expect(wire.did).toEqual(["shutdown"]);
  });
});

/** Where a connection is when its worker leaves, and what it may do then. */
describe("drain()", () => {
  type Row = [claim: string, before: string, behind: string, seen: [string[], boolean]];
  const rows: Row[] = [
    [
      "of a client that says nothing: it has keepalive for one request",
      "",
      get("/"),
      [["GET /"], true],
    ],
    ["of an idle client: one more request", get("/1"), get("/2"), [["GET /1", "GET /2"], true]],
    ["in a head: it is answered", "GET /1 HT", "TP/1.1\r\nHost: x\r\n\r\n", [["GET /1"], true]],
    [
      "in a body: it is answered",
      "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na",
      "b",
      [["POST /1"], false],
    ],
  ];
  test.each(rows)("%s", async (_claim, before, behind, [events, closes]) => {
    const engine = new FakeEngine();
    const wire = engine.connect();
    if (before !== "") wire.send(before);
    wire.take();
    engine.drain();
    expect(wire.closed).toBe(false);
    wire.send(behind);
    await engine.settle();
    expect(engine.events).toEqual(events);
    expect(/Connection: close/.test(wire.text)).toBe(closes);
  });

  test("closes an idle client after keepalive, and is over then", async () => {
    const engine = new FakeEngine();
    const wires = [engine.connect(), engine.connect()];
    wires[0]!.send(get("/"));
    engine.drain();
    let over = false;
    void engine.emptied().then(() => (over = true));
    engine.tick(10);
    await engine.settle();
    expect(wires.map((each) => each.closed)).toEqual([true, true]);
    expect(over).toBe(true);
  });

  test("waits for an app at work", async () => {
    const answer = later();
    const engine = new FakeEngine(() => answer.promise);
    const wire = engine.connect();
    wire.send(get("/"));
    engine.drain();
    engine.tick(50);
    expect(wire.closed).toBe(false);
    answer.resolve(new Response("hello"));
    await engine.settle();
    expect(wire.text).toContain("Connection: close");
    expect(wire.did).toEqual(["shutdown"]);
  });

  test("holds for who connects behind it", () => {
    const engine = new FakeEngine();
    engine.drain();
    const wire = engine.connect();
    wire.send(get("/"));
    expect(wire.text).toContain("Connection: close");
  });

  test("without connections is over at once", async () => {
    const engine = new FakeEngine();
    engine.drain();
    await engine.emptied();
    expect(engine.connections).toBe(0);
  });
});

// Heads that are known are taken without the parser, which must not keep what came before them for another client.
describe("an empty line before a head that is known", () => {
  const other = "GET /other HTTP/1.1\r\nHost: y\r\n\r\n";

  test("is no other client's", () => {
    const engine = new FakeEngine();
    const wire = engine.connect();
    for (let round = 0; round < 4; round++) wire.send(get("/"));
    wire.send("\r\n");
    wire.send(get("/"));
    expect(statuses(wire.take())).toEqual([200, 200, 200, 200, 200]);
    const next = engine.connect();
    next.send(`\r\n${other}`);
    expect(statuses(next.take())).toEqual([200]);
  });

  test("and half of one is refused, and no other client's", () => {
    const engine = new FakeEngine();
    const wire = engine.connect();
    for (let round = 0; round < 4; round++) wire.send(get("/"));
    wire.take();
    wire.send("\r");
    wire.send(get("/"));
    expect(statuses(wire.take())).toEqual([400]);
    const next = engine.connect();
    next.send(other);
    expect(statuses(next.take())).toEqual([200]);
  });
});

/** A connection that idles for a step of the clock is folded, and goes on as if it hadn't been. */
import { describe, expect, test } from "bun:test";
import { Connection } from "../../../../src/worker/connection/connection.ts";
import { IdleConnection } from "../../../../src/worker/connection/idle-connection.ts";
import {
  FakeEngine,
  type FakeEngineOptions,
  type Fetch,
  later,
  statuses,
  ticks,
  timeouts,
} from "../../../support/fake-engine.ts";
import type { FakeWire } from "../../../support/fake-wire.ts";

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n";
const proxyHeader = "PROXY TCP4 203.0.113.9 192.0.2.1 40000 80\r\n";
const idle = ticks(timeouts.keepalive);

const answers: Fetch = () => new Response("hello");

interface Scene {
  readonly fetch?: Fetch;
  readonly options?: FakeEngineOptions;
}

async function after(
  { fetch = answers, options = {} }: Scene,
  happen: (wire: FakeWire, engine: FakeEngine) => void,
): Promise<readonly [FakeWire, FakeEngine]> {
  const engine = new FakeEngine(fetch, options);
  const wire = engine.connect();
  happen(wire, engine);
  await engine.settle();
  engine.tick(2);
  return [wire, engine];
}

const staying: [why: string, Scene, (wire: FakeWire, engine: FakeEngine) => void][] = [
  ["nothing has come yet", {}, () => {}],
  ["the app is at work", { fetch: () => later().promise }, (wire) => wire.send(get)],
  [
    "the client has yet to take an answer",
    {},
    (wire) => {
      wire.room = 10;
      wire.send(get);
    },
  ],
  ["the next request has begun", {}, (wire) => wire.send(`${get}GET /`)],
  ["half an empty line has come", {}, (wire) => (wire.send(get), wire.send("\r"))],
  ["an empty line has come", {}, (wire) => (wire.send(get), wire.send("\r\n"))],
  ["the body hasn't come", {}, (wire) => wire.send(`${post}ab`)],
  [
    "it is the last answer",
    {},
    (wire) => wire.send(get.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")),
  ],
  [
    "the worker leaves",
    {},
    (wire, engine) => {
      wire.send(get);
      engine.drain();
    },
  ],
  [
    "a socket of node:http is kept for it",
    {},
    (wire, engine) => {
      wire.send(get);
      (engine.accepted[0] as Connection).client.attached = { connectionClosed: () => {} };
    },
  ],
];

test.each(staying)("isn't folded while %s", async (_why, scene, happen) => {
  const [wire] = await after(scene, happen);
  expect(wire.data).toBeInstanceOf(Connection);
});

test("is folded behind an answer, but not at once", async () => {
  const engine = new FakeEngine();
  const wire = engine.connect();
  wire.send(get);
  engine.tick();
  expect(wire.data).toBeInstanceOf(Connection);
  engine.tick();
  expect(wire.data).toBeInstanceOf(IdleConnection);
  expect([engine.connections, engine.scores.connections]).toEqual([1, 1]);
  // What still refers to the former one can't write any more.
  expect((engine.accepted[0] as Connection).gone).toBe(true);
});

describe("a folded connection", () => {
  async function folded(scene: Scene = {}, first = get): Promise<readonly [FakeWire, FakeEngine]> {
    const [wire, engine] = await after(scene, (socket) => socket.send(first));
    expect(wire.data).toBeInstanceOf(IdleConnection);
    wire.take();
    return [wire, engine];
  }

  test("answers the next request, and the one behind that", async () => {
    const [wire, engine] = await folded();
    wire.send(get.replace("/", "/second"));
    wire.send(`${get}${get}`);
    expect(statuses(wire.take())).toEqual([200, 200, 200]);
    expect(engine.events).toEqual(["GET /", "GET /second", "GET /", "GET /"]);
    expect(engine.connections).toBe(1);
  });

  test("takes a request byte by byte", async () => {
    const [wire] = await folded({ fetch: async (request) => new Response(await request.text()) });
    for (const byte of `${post}abcd`) wire.send(byte);
    await Promise.resolve();
    await Bun.sleep(0);
    expect(wire.take()).toEndWith("\r\n\r\nabcd");
  });

  test("is folded again and again", async () => {
    const [wire, engine] = await folded();
    for (let round = 0; round < 5; round++) {
      wire.send(get);
      expect(statuses(wire.take())).toEqual([200]);
      engine.tick(2);
      expect(wire.data).toBeInstanceOf(IdleConnection);
    }
    expect(engine.connections).toBe(1);
  });

  test("ends when keepalive expires, not a step of the clock sooner or later", async () => {
    const [wire, engine] = await folded();
    expect(engine.ticksUntil(wire)).toBe(idle - 2);
    expect([wire.did, wire.closed, engine.connections]).toEqual([["end"], true, 0]);
    expect(engine.lines.at(-1)).toContain("keepalive");
  });

  test("has the whole time again behind its next answer", async () => {
    const [wire, engine] = await folded();
    engine.tick(idle - 4);
    wire.send(get);
    wire.take();
    expect(engine.ticksUntil(wire)).toBe(idle);
  });

  test("has no more than what was left, when nothing but a blank line comes", async () => {
    const [wire, engine] = await folded();
    wire.send("\r\n");
    expect(engine.ticksUntil(wire)).toBe(idle - 2);
  });

  test("ends with the client", async () => {
    const [wire, engine] = await folded();
    wire.fin();
    expect([wire.did, wire.closed, engine.connections]).toEqual([["end"], true, 0]);
  });

  test("is forgotten when its socket closes", async () => {
    const [wire, engine] = await folded();
    wire.reset();
    expect([engine.connections, engine.left]).toEqual([0, 1]);
  });

  test("has keepalive for one more request when the worker leaves", async () => {
    const [wire, engine] = await folded();
    engine.drain();
    expect(wire.data).toBeInstanceOf(Connection);
    wire.send(get);
    expect(wire.take()).toContain("\r\nConnection: close\r\n");
    expect(engine.ticksUntil(wire)).not.toBeNull();
  });

  test("doesn't ask for a PROXY header again, and still knows whom it named", async () => {
    const named: (string | undefined)[] = [];
    const options = { config: { proxyProtocol: "auto", proxyAllowIps: ["*"] } } as const;
    const fetch: Fetch = (request, server) => {
      named.push(server.requestIP(request)?.address);
      return new Response("hello");
    };
    const [wire] = await folded({ fetch, options: options as never }, `${proxyHeader}${get}`);
    wire.send(get);
    wire.send(`${proxyHeader}${get}`);
    expect(statuses(wire.take())).toEqual([200, 400]);
    expect(named).toEqual(["203.0.113.9", "203.0.113.9"]);
  });
});

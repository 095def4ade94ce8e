/** What a connection waits for in each of its states, by ticks: see the table of deadlines.ts. */
import { expect, test } from "bun:test";
import {
  FakeEngine,
  type FakeEngineOptions,
  type Fetch,
  later,
  statuses,
  ticks,
  timeouts,
} from "../../../support/fake-engine.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n";
const never: Fetch = () => later().promise;
const readsAll: Fetch = async (request) => new Response(await request.text());

const head = ticks(timeouts.headerTimeout);
const body = ticks(timeouts.bodyTimeout);
const write = ticks(timeouts.writeTimeout);
const idle = ticks(timeouts.keepalive);
const grace = ticks(timeouts.asgiDisconnectGracePeriod);
const linger = ticks(2);

interface Stage {
  readonly fetch?: Fetch;
  readonly options?: FakeEngineOptions;
  /** How many bytes the socket takes. */
  readonly room?: number;
}

type Outcome = [after: number, statuses: number[], did: string, log: string] | null;

const rows: [
  claim: string,
  stage: Stage,
  happen: (wire: FakeWire, engine: FakeEngine) => void,
  Outcome,
][] = [
  // Head.
  ["a client that says nothing", {}, () => {}, [head, [], "end", "header_timeout"]],
  [
    "half a head",
    {},
    (wire) => wire.send("GET / HT"),
    [head, [408], "shutdown", "Request head took longer than header_timeout"],
  ],
  [
    "bytes of a head don't start its time anew",
    {},
    (wire, engine) => {
      wire.send("GET ");
      engine.tick(head - 2);
      wire.send("/ HT");
    },
    [2, [408], "shutdown", "Request head took longer"],
  ],
  [
    "half a head, header_timeout 0",
    { options: { config: { headerTimeout: 0 } } },
    (wire) => wire.send("GET / HT"),
    null,
  ],
  [
    "an empty line before the request",
    {},
    (wire) => wire.send("\r\n"),
    [head, [], "end", "header_timeout"],
  ],
  // Idle.
  ["an idle client", {}, (wire) => wire.send(get), [idle, [200], "end", "keepalive"]],
  [
    "half a head behind an answer",
    {},
    (wire) => {
      wire.send(get);
      wire.send("GET /");
    },
    [head, [200, 408], "shutdown", "head took"],
  ],
  [
    "a second request starts idleness anew",
    {},
    (wire, engine) => {
      wire.send(get);
      engine.tick(idle - 1);
      wire.send(get);
    },
    [idle, [200, 200], "end", "keepalive"],
  ],
  // Body.
  [
    "a body that doesn't come",
    { fetch: readsAll },
    (wire) => wire.send(post),
    [body, [408], "shutdown", "stood still"],
  ],
  [
    "a body starts its time anew with each byte",
    { fetch: readsAll },
    (wire, engine) => {
      wire.send(post);
      engine.tick(body - 1);
      wire.send("a");
    },
    [body, [408], "shutdown", "stood still"],
  ],
  [
    "a body, body_timeout 0",
    { fetch: readsAll, options: { config: { bodyTimeout: 0 } } },
    (wire) => wire.send(`${post}abc`),
    null,
  ],
  [
    "a body that the app doesn't read, and that is full",
    { fetch: never },
    (wire) =>
      wire.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n${"a".repeat(70_000)}`),
    null,
  ],
  [
    "a body that the client keeps until 100 Continue",
    { fetch: never },
    (wire) =>
      wire.send(`POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n`),
    null,
  ],
  [
    "a body behind 100 Continue",
    { fetch: readsAll },
    (wire) =>
      wire.send(`POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n`),
    [body, [100, 408], "shutdown", "stood still"],
  ],
  [
    "the rest of a body behind its answer",
    {},
    (wire) => wire.send(`${post}abc`),
    [body, [200], "shutdown", "stood still"],
  ],
  [
    "a body that doesn't come, its answer under way",
    { fetch: () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) })) },
    (wire) => wire.send(post),
    null,
  ],
  // App.
  ["an app at work", { fetch: never }, (wire) => wire.send(get), null],
  [
    "server.timeout()",
    {
      fetch: (request, server) => {
        server.timeout(request, 5);
        return later().promise;
      },
    },
    (wire) => wire.send(get),
    [ticks(5), [], "end", "server.timeout()"],
  ],
  [
    "server.timeout(), taken back",
    {
      fetch: (request, server) => {
        server.timeout(request, 5);
        server.timeout(request, 0);
        return later().promise;
      },
    },
    (wire) => wire.send(get),
    null,
  ],
  [
    "server.timeout() ends with the answer",
    {
      fetch: (request, server) => {
        server.timeout(request, 0.25);
        return new Response("hello");
      },
    },
    (wire) => wire.send(get),
    [idle, [200], "end", "keepalive"],
  ],
  // Output.
  [
    "a client that doesn't read",
    { room: 20 },
    (wire) => wire.send(get),
    [write, [200], "terminate", "write_timeout"],
  ],
  [
    "a client that reads nothing",
    { room: 0 },
    (wire) => wire.send(get),
    [write, [], "terminate", "write_timeout"],
  ],
  [
    "a client that doesn't read, write_timeout 0",
    { room: 20, options: { config: { writeTimeout: 0 } } },
    (wire) => wire.send(get),
    null,
  ],
  [
    "a client that reads a little: the socket says so",
    { room: 20 },
    (wire, engine) => {
      wire.send(get);
      engine.tick(write - 1);
      wire.drain(5);
    },
    [write, [200], "terminate", "write_timeout"],
  ],
  [
    "a client that reads a little: only the kernel knows",
    { room: 20 },
    (wire, engine) => {
      wire.unsent = 900;
      wire.send(get);
      engine.tick(write - 1);
      wire.unsent = 800;
      engine.tick();
    },
    [write, [200], "terminate", "write_timeout"],
  ],
  [
    "a client that doesn't read, and sends on",
    { room: 20 },
    (wire) => {
      wire.send(get);
      wire.send("GET / HT");
    },
    [write, [200], "terminate", "write_timeout"],
  ],
  // After FIN.
  [
    "an app that is mum behind FIN",
    { fetch: never },
    (wire) => {
      wire.send(get);
      wire.fin();
    },
    [grace, [], "end", "asgi_disconnect_grace_period"],
  ],
  [
    "FIN that is only seen by the kernel, since reading pauses",
    { fetch: never },
    (wire) => {
      wire.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n${"a".repeat(70_000)}`);
      wire.fin();
    },
    [grace, [], "end", "asgi_disconnect_grace_period"],
  ],
  // Linger.
  [
    "a client that doesn't close",
    {},
    (wire) => wire.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    [linger, [200], "end", "lingering close"],
  ],
  [
    "a client that doesn't close, and hasn't read all",
    {},
    (wire) => {
      wire.unsent = 500;
      wire.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    },
    [write, [200], "terminate", "write_timeout"],
  ],
  [
    "keepalive, and the kernel holds the answer yet",
    {},
    (wire) => {
      wire.unsent = 500;
      wire.send(get);
    },
    [idle, [200], "shutdown", "keepalive"],
  ],
];

test.each(rows)("%s", async (_claim, { fetch, options, room }, happen, outcome) => {
  const engine = new FakeEngine(fetch, options);
  const wire = new FakeWire();
  if (room !== undefined) wire.room = room;
  engine.connect(wire);
  happen(wire, engine);
  await engine.settle();
  wire.did.length = 0;
  const after = engine.ticksUntil(wire);
  if (outcome === null) return expect([after, wire.closed]).toEqual([null, false]);
  const [ticksLeft, answers, did, log] = outcome;
  expect([after, statuses(wire.text), wire.did.at(-1)]).toEqual([ticksLeft, answers, did]);
  expect(engine.lines.at(-1)).toContain(log);
});

test("a tick between the app's call and its answer changes nothing", async () => {
  const answer = later();
  const engine = new FakeEngine(() => answer.promise);
  const wire = engine.connect();
  wire.send(get);
  engine.tick(50);
  answer.resolve(new Response("hello"));
  await engine.settle();
  expect(statuses(wire.text)).toEqual([200]);
  expect(engine.ticksUntil(wire)).toBe(idle);
});

test("an app that writes now and then keeps its client behind FIN", async () => {
  const { readable, writable } = new TransformStream();
  const writer = writable.getWriter();
  const engine = new FakeEngine(() => new Response(readable));
  const wire = engine.connect();
  wire.send(get);
  wire.fin();
  for (let round = 0; round < 5; round++) {
    void writer.write(Buffer.from("event"));
    await engine.settle();
    engine.tick(grace - 1);
    expect(wire.closed).toBe(false);
  }
  expect(engine.ticksUntil(wire)).toBe(1);
  await engine.settle();
  expect(engine.inFlight).toBe(0);
});

/** A client may leave at any point: the app learns it, the request is counted as over, and observers are told once. */
import { describe, expect, test } from "bun:test";
import { FakeEngine, type Fetch, later, statuses, nextTurn } from "../../../support/fake-engine.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

const get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
const post = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n";

/** An app that never answers, and notes what it learns. */
function waiting(engine: { events: string[] }): Fetch {
  return (request) => {
    request.signal.addEventListener("abort", () => engine.events.push("signal"));
    return later().promise;
  };
}

/** An app that reads the whole body, and notes why it can't. */
function reading(engine: { events: string[] }): Fetch {
  return async (request) => {
    const text = await request.text().catch((error: Error) => {
      engine.events.push(error.name);
      throw error;
    });
    return new Response(text);
  };
}

/** An app whose stream never ends, and that notes its cancel(). */
function streaming(engine: { events: string[] }, chunk = "data"): Fetch {
  return () =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(Buffer.from(chunk)),
        pull: () => new Promise(() => {}),
        cancel: () => void engine.events.push("cancel"),
      }),
    );
}

type App = (engine: { events: string[] }) => Fetch;
const hello: App = () => () => new Response("hello");

interface Outcome {
  /** What the app has learned, its calls apart. */
  readonly events?: string[];
  readonly told?: string[];
  readonly statuses?: number[];
  readonly ended?: string[];
  /** The last thing done to the socket. */
  readonly did?: string | undefined;
  readonly closed?: boolean;
}

/** The app has answered hello. */
const answered: Outcome = { told: ["GET /a 200 5"], statuses: [200], ended: ["GET /a 200"] };

interface Row {
  readonly claim: string;
  readonly app?: App;
  readonly sent: string;
  readonly room?: number;
  readonly reset: Outcome;
  /** FIN instead. */
  readonly fin: Outcome;
}

const rows: Row[] = [
  { claim: "before the first byte", sent: "", reset: {}, fin: { did: "end", closed: true } },
  { claim: "in a head", sent: "GET /a HT", reset: {}, fin: { did: "end", closed: true } },
  {
    claim: "in a body that the app reads",
    app: reading,
    sent: `${post}abc`,
    reset: { events: ["AbortError"], told: ["POST /a 499 0"], ended: ["POST /a null"] },
    fin: {
      events: ["AbortError"],
      told: ["POST /a 499 0"],
      ended: ["POST /a null"],
      did: "end",
      closed: true,
    },
  },
  {
    claim: "in a body that the app doesn't read",
    app: waiting,
    sent: `${post}abc`,
    reset: { events: ["signal"], told: ["POST /a 499 0"] },
    fin: {},
  },
  {
    claim: "in a body behind its answer",
    app: hello,
    sent: `${post}abc`,
    reset: { told: ["POST /a 200 5"], statuses: [200], ended: ["POST /a 200"] },
    fin: {
      told: ["POST /a 200 5"],
      statuses: [200],
      ended: ["POST /a 200"],
      did: "end",
      closed: true,
    },
  },
  {
    claim: "while the app is at work",
    app: waiting,
    sent: get,
    reset: { events: ["signal"], told: ["GET /a 499 0"] },
    fin: {},
  },
  {
    claim: "in the middle of a stream",
    app: streaming,
    sent: get,
    reset: { events: ["cancel"], told: ["GET /a 200 4"], statuses: [200], ended: ["GET /a 200"] },
    fin: { statuses: [200] },
  },
  {
    claim: "in the middle of a stream that a full socket holds up",
    app: (engine) => streaming(engine, "x".repeat(70_000)),
    sent: get,
    room: 100,
    reset: {
      events: ["cancel"],
      told: ["GET /a 200 70000"],
      statuses: [200],
      ended: ["GET /a 200"],
    },
    fin: { statuses: [200] },
  },
  {
    claim: "after an answer",
    sent: get,
    reset: { ...answered },
    fin: {
      ...answered,
      did: "end",
      closed: true,
    },
  },
  {
    claim: "after an answer that isn't written yet",
    sent: get,
    room: 20,
    reset: { ...answered },
    fin: { ...answered, closed: false },
  },
  {
    claim: "after the last answer",
    sent: get.replace("Host", "Connection: close\r\nHost"),
    reset: { ...answered, did: "shutdown" },
    fin: {
      ...answered,
      did: "end",
      closed: true,
    },
  },
  {
    claim: "in a head behind an answer",
    sent: `${get}GET /b`,
    reset: { ...answered },
    fin: {
      ...answered,
      did: "end",
      closed: true,
    },
  },
];

const nothing: Required<Outcome> = {
  events: [],
  told: [],
  statuses: [],
  ended: [],
  did: undefined,
  closed: false,
};

async function left({ app = hello, sent, room }: Row, how: "reset" | "fin") {
  const events: string[] = [];
  const engine = new FakeEngine(app({ events }));
  const wire = new FakeWire();
  if (room !== undefined) wire.room = room;
  engine.connect(wire);
  wire.send(sent);
  await engine.settle();
  wire[how]();
  await engine.settle();
  // To be sure that nobody is told twice.
  wire.reset();
  await engine.settle();
  return { engine, wire, events };
}

describe("a client that resets the connection", () => {
  test.each(rows)("$claim", async (row) => {
    const { engine, wire, events } = await left(row, "reset");
    const { told, ended } = engine;
    const seen = { events, told, statuses: statuses(wire.text), ended, did: wire.did.at(-1) };
    expect({ ...seen, closed: false }).toEqual({ ...nothing, ...row.reset });
    expect(engine.connections).toBe(0);
    expect(engine.lines.filter((line) => !line.startsWith("debug"))).toEqual([]);
  });
});

describe("a client that sends nothing more", () => {
  test.each(rows)("$claim", async (row) => {
    const events: string[] = [];
    const engine = new FakeEngine((row.app ?? hello)({ events }));
    const wire = new FakeWire();
    if (row.room !== undefined) wire.room = row.room;
    engine.connect(wire);
    wire.send(row.sent);
    await engine.settle();
    wire.fin();
    await engine.settle();
    const { told, ended } = engine;
    expect({
      events,
      told,
      statuses: statuses(wire.text),
      ended,
      did: wire.did.at(-1),
      closed: wire.closed,
    }).toEqual({ ...nothing, ...row.fin });
    wire.reset();
    await engine.settle();
    expect(engine.told.length).toBeLessThanOrEqual(1);
    expect(engine.connections).toBe(0);
  });
});

/** A client that waits for an answer that the test gives later. */
function askedForLater() {
  const answer = later();
  const engine = new FakeEngine(() => answer.promise);
  const wire = engine.connect();
  wire.send(get);
  return { answer, engine, wire };
}

describe("an app that answers behind it", () => {
  test("to a client that has left, nothing is written, and its stream is cancelled", async () => {
    const { answer, engine, wire } = askedForLater();
    wire.reset();
    expect(engine.inFlight).toBe(1);
    let cancelled = false;
    answer.resolve(
      new Response(new ReadableStream({ cancel: () => void (cancelled = true), pull: () => {} })),
    );
    await engine.settle();
    expect([wire.text, cancelled, engine.inFlight]).toEqual(["", true, 0]);
    expect(engine.told).toEqual(["GET /a 499 0"]);
  });

  test("by an error, it is logged as the app's", async () => {
    const { answer, engine, wire } = askedForLater();
    wire.reset();
    answer.reject(new Error("no"));
    await engine.settle();
    expect(engine.lines.at(-1)).toStartWith("exception: Error handling request GET /a");
    expect(engine.inFlight).toBe(0);
  });

  test("by the abort itself, it isn't", async () => {
    const engine = new FakeEngine(
      (request) =>
        new Promise((_resolve, reject) =>
          request.signal.addEventListener("abort", () => reject(request.signal.reason as Error)),
        ),
    );
    const wire = engine.connect();
    wire.send(get);
    wire.reset();
    await engine.settle();
    expect(engine.lines.at(-1)).toStartWith("debug: Gave up GET /a");
    expect(engine.inFlight).toBe(0);
  });

  test("to a client that only sends nothing more, it is written, and the connection ends", async () => {
    const { answer, engine, wire } = askedForLater();
    wire.fin();
    answer.resolve(new Response("hello"));
    await engine.settle();
    expect(statuses(wire.text)).toEqual([200]);
    expect(wire.did).toEqual(["end"]);
    expect(engine.told).toEqual(["GET /a 200 5"]);
  });

  test("to requests that were held at FIN, all are answered", async () => {
    const answers = [later(), later()];
    let at = 0;
    const engine = new FakeEngine(() => answers[at++]!.promise);
    const wire = engine.connect();
    wire.send(get + get);
    wire.fin();
    answers[0]!.resolve(new Response("1"));
    await engine.settle();
    expect(wire.closed).toBe(false);
    answers[1]!.resolve(new Response("2"));
    await engine.settle();
    expect(statuses(wire.text)).toEqual([200, 200]);
    expect(wire.did).toEqual(["end"]);
  });

  test("to a body that FIN has cut, it may still", async () => {
    const engine = new FakeEngine(async (request) => {
      const text = await request.text().catch(() => "cut");
      return new Response(text);
    });
    const wire = engine.connect();
    wire.send(`${post}abc`);
    wire.fin();
    await engine.settle();
    expect(wire.text).toEndWith("cut");
    expect(wire.did).toEqual(["end"]);
  });

  test("with no time at all: asgi_disconnect_grace_period 0", async () => {
    const engine = new FakeEngine(() => later().promise, {
      config: { asgiDisconnectGracePeriod: 0 },
    });
    const wire = engine.connect();
    wire.send(get);
    wire.fin();
    expect(wire.did).toEqual(["end"]);
    expect(engine.told).toEqual(["GET /a 499 0"]);
  });
});

describe("a body that only the end of the connection ends", () => {
  const old = "GET /a HTTP/1.0\r\n\r\n";

  test("that is complete ends by FIN", async () => {
    const engine = new FakeEngine(
      () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(Buffer.from("all"));
              controller.close();
            },
          }),
        ),
    );
    const wire = engine.connect();
    wire.send(old);
    await engine.settle();
    expect(wire.text).toEndWith("\r\n\r\nall");
    expect(wire.did).toEqual(["shutdown"]);
  });

  test("that fails ends by a reset", async () => {
    const engine = new FakeEngine(
      () =>
        new Response(
          new ReadableStream({
            start: (controller) => controller.enqueue(Buffer.from("some")),
            async pull(controller) {
              await nextTurn();
              controller.error(new Error("no"));
            },
          }),
        ),
    );
    const wire = engine.connect();
    wire.send(old);
    await engine.settle();
    expect(wire.did).toEqual(["terminate"]);
    expect(engine.told).toEqual(["GET /a 200 4"]);
    expect(engine.lines.at(-1)).toContain("The stream of the response failed");
    expect(engine.inFlight).toBe(0);
  });

  test("whose time runs out ends by a reset", async () => {
    const events: string[] = [];
    const engine = new FakeEngine(streaming({ events }));
    const wire = engine.connect();
    wire.send(old);
    await engine.settle();
    wire.fin();
    engine.ticksUntil(wire);
    await engine.settle();
    expect(wire.did).toEqual(["terminate"]);
    expect(events).toEqual(["cancel"]);
  });
});

test.each([
  ["a request", get],
  ["the last request of a client", get.replace("Host", "Connection: close\r\nHost")],
  ["a request of HTTP/1.0", "GET /a HTTP/1.0\r\n\r\n"],
])("%s gives its reader back", async (_claim, sent) => {
  const engine = new FakeEngine();
  const reader = engine.readers.lend(false);
  engine.readers.takeBack(reader);
  const wire = engine.connect();
  wire.send(sent);
  await engine.settle();
  expect(statuses(wire.text)).toEqual([200]);
  expect(engine.readers.lend(false)).toBe(reader);
});

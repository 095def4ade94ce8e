/** What becomes of an app's answer: its framing, its length, and whether the connection lives on. */
import { describe, expect, test } from "bun:test";
import { FakeEngine, type Fetch, later, statuses, nextTurn } from "../../../support/fake-engine.ts";

const request = (method = "GET", version = "1.1") =>
  `${method} /a HTTP/${version}\r\nHost: x\r\n${version === "1.0" ? "Connection: keep-alive\r\n" : ""}\r\n`;

function streamOf(...chunks: readonly unknown[]): ReadableStream {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks[at++];
      if (chunk === undefined) controller.close();
      else if (chunk instanceof Error) controller.error(chunk);
      else controller.enqueue(chunk);
    },
  });
}

const length = (count: number) => ({ headers: { "content-length": String(count) } });

type Row = [
  claim: string,
  sent: string,
  answer: () => unknown,
  seen: {
    readonly status?: number;
    /** The head has it. */
    readonly head?: RegExp;
    readonly body?: string;
    readonly told?: string;
    readonly log?: string;
    /** The connection ends behind it. */
    readonly ends?: boolean;
  },
];

const rows: Row[] = [
  ["text", request(), () => new Response("hello"), { body: "hello", told: "GET /a 200 5" }],
  [
    "bytes",
    request(),
    () => new Response(Buffer.from("abc")),
    { body: "abc", told: "GET /a 200 3" },
  ],
  ["JSON", request(), () => Response.json([1]), { body: "[1]", head: /application\/json/ }],
  ["nothing", request(), () => new Response(), { body: "", head: /Content-Length: 0/ }],
  [
    "to HEAD",
    request("HEAD"),
    () => new Response("hello"),
    { body: "", head: /Content-Length: 5/, told: "HEAD /a 200 0" },
  ],
  [
    "to HEAD, with a length of its own",
    request("HEAD"),
    () => new Response(null, length(99)),
    { body: "", head: /Content-Length: 99/ },
  ],
  [
    "to HEAD, a stream",
    request("HEAD"),
    () => new Response(streamOf("a")),
    { body: "", head: /Transfer-Encoding: chunked/ },
  ],
  [
    "204",
    request(),
    () => new Response(null, { status: 204 }),
    { status: 204, body: "", told: "GET /a 204 0" },
  ],
  ["304", request(), () => new Response(null, { status: 304 }), { status: 304, body: "" }],
  ["205", request(), () => new Response(null, { status: 205 }), { status: 205, body: "" }],
  ["a redirect", request(), () => Response.redirect("/b"), { status: 302, head: /location: \/b/i }],
  [
    "a length that is wrong",
    request(),
    () => new Response("hello", length(3)),
    {
      body: "hello",
      head: /Content-Length: 5/,
      ends: true,
      log: "Content-Length is 3, the body has 5 bytes",
    },
  ],
  [
    "a stream",
    request(),
    () => new Response(streamOf("a", "bc")),
    { body: "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", told: "GET /a 200 3" },
  ],
  [
    "a stream of a length",
    request(),
    () => new Response(streamOf("a", "bc"), length(3)),
    { body: "abc", head: /Content-Length: 3/ },
  ],
  [
    "a stream that is shorter than its length",
    request(),
    () => new Response(streamOf("a"), length(3)),
    {
      ends: true,
      log: "Content-Length is 3, the body has 1 bytes",
      body: "a",
      told: "GET /a 200 1",
    },
  ],
  [
    "a stream that is longer than its length",
    request(),
    () => new Response(streamOf("a", "bcd"), length(3)),
    { ends: true, log: "Content-Length is 3, the body has more", body: "a" },
  ],
  [
    "a stream that is longer at once",
    request(),
    () => new Response(streamOf("abcd"), length(3)),
    { status: 500, log: "Content-Length is 3, the body has more" },
  ],
  [
    "a stream to HTTP/1.0",
    request("GET", "1.0"),
    () => new Response(streamOf("a", "b")),
    { body: "ab", ends: true, head: /^(?!.*Transfer-Encoding)/s },
  ],
  [
    "a stream that fails",
    request(),
    () => new Response(streamOf("a", new Error("broken"))),
    {
      ends: true,
      log: "The stream of the response failed",
      body: "1\r\na\r\n",
      told: "GET /a 200 1",
    },
  ],
  [
    "a stream that fails at once",
    request(),
    () => new Response(streamOf(new Error("broken"))),
    { status: 500, log: "broken" },
  ],
  [
    "a stream of numbers",
    request(),
    () => new Response(streamOf(1)),
    { status: 500, log: "neither text nor bytes" },
  ],
  [
    "`Connection: close`",
    request(),
    () => new Response("a", { headers: { connection: "close" } }),
    { ends: true, body: "a" },
  ],
  [
    "no Response",
    request(),
    () => "hello",
    { status: 500, log: "Expected a Response, got a string" },
  ],
  [
    "undefined",
    request(),
    () => undefined,
    { status: 500, log: "Expected a Response, got undefined" },
  ],
  [
    "a status that says nothing",
    request(),
    () => Response.error(),
    { status: 500, log: "status 0 can't be sent" },
  ],
  [
    "HTTP/1.0, kept alive",
    request("GET", "1.0"),
    () => new Response("a"),
    { body: "a", head: /Connection: keep-alive/ },
  ],
];

describe.each([
  ["at once", (answer: () => unknown) => answer],
  ["of an async function", (answer: () => unknown) => async () => answer()],
  [
    "later",
    (answer: () => unknown) => async () => {
      await nextTurn();
      return answer();
    },
  ],
])("an answer %s", (_when, wrap) => {
  test.each(rows)("%s", async (_claim, sent, answer, seen) => {
    const engine = new FakeEngine(wrap(answer) as Fetch);
    const wire = engine.connect();
    wire.send(sent);
    await engine.settle();
    const { text } = wire;
    const split = text.indexOf("\r\n\r\n") + 4;
    expect(statuses(text)).toEqual([seen.status ?? 200]);
    if (seen.head !== undefined) expect(text.slice(0, split)).toMatch(seen.head);
    if (seen.body !== undefined) expect(text.slice(split)).toBe(seen.body);
    if (seen.told !== undefined) expect(engine.told).toEqual([seen.told]);
    expect(engine.told).toHaveLength(1);
    expect(engine.ended).toHaveLength(1);
    expect(engine.inFlight).toBe(0);
    expect(engine.lines.join()).toContain(seen.log ?? "");
    if (seen.log === undefined) expect(engine.lines).toEqual([]);
    expect(wire.did).toEqual(seen.ends === true ? ["shutdown"] : []);
  });
});

describe("a stream", () => {
  test("of megabytes waits for its client, and holds little", async () => {
    let made = 0;
    const chunk = Buffer.alloc(10_000, "x");
    const engine = new FakeEngine(
      () =>
        new Response(
          new ReadableStream(
            {
              pull(controller) {
                made += 1;
                if (made > 500) controller.close();
                else controller.enqueue(chunk);
              },
            },
            { highWaterMark: 0 },
          ),
        ),
    );
    const wire = engine.connect();
    wire.room = 0;
    wire.send(request());
    await engine.settle();
    expect(made).toBeLessThan(20);
    for (let turn = 0; turn < 400 && engine.inFlight > 0; turn++) {
      wire.drain(40_000);
      await engine.settle();
    }
    expect(engine.told).toEqual(["GET /a 200 5000000"]);
    wire.drain();
    expect(wire.text.slice(-7)).toBe("\r\n0\r\n\r\n");
  });

  test("sends its head alone when its first chunk is late, and each chunk at once", async () => {
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    const engine = new FakeEngine(() => new Response(readable));
    const wire = engine.connect();
    wire.send(request());
    await engine.settle();
    expect(wire.take()).toEndWith("\r\n\r\n");
    void writer.write(Buffer.from("event"));
    await engine.settle();
    expect(wire.take()).toBe("5\r\nevent\r\n");
    void writer.close();
    await engine.settle();
    expect(wire.take()).toBe("0\r\n\r\n");
    wire.send(request());
    expect(engine.events).toHaveLength(2);
  });

  test("holds a request behind it until it is over", async () => {
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    let asked = 0;
    const engine = new FakeEngine(() => new Response(asked++ === 0 ? readable : "second"));
    const wire = engine.connect();
    wire.send(request());
    wire.send(request());
    await engine.settle();
    expect(asked).toBe(1);
    void writer.close();
    await engine.settle();
    expect(asked).toBe(2);
    expect(wire.text).toEndWith("second");
  });
});

describe("what fails", () => {
  const thrown: [claim: string, value: unknown, log: string][] = [
    ["an Error", new Error("no"), "Error: no"],
    ["a text", "no", "no"],
    ["null", null, "Thrown: null"],
    ["undefined", undefined, "Thrown: undefined"],
  ];
  describe.each([
    [
      "thrown",
      (value: unknown): Fetch =>
        () => {
          throw value;
        },
    ],
    [
      "rejected",
      (value: unknown): Fetch =>
        async () =>
          Promise.reject(value),
    ],
    [
      "rejected later",
      (value: unknown): Fetch =>
        async () => {
          await nextTurn();
          throw value;
        },
    ],
  ])("%s", (_how, fail) => {
    test.each(thrown)("%s is a 500, and the connection lives on", async (_claim, value, log) => {
      const engine = new FakeEngine(fail(value));
      const wire = engine.connect();
      wire.send(request());
      await engine.settle();
      expect(statuses(wire.text)).toEqual([500]);
      expect(engine.lines.join()).toContain(log);
      expect(engine.told).toHaveLength(1);
      expect(engine.ended).toEqual(["GET /a null"]);
      expect(wire.did).toEqual([]);
      wire.send(request());
      expect(engine.events).toHaveLength(2);
    });
  });

  const failing: Fetch = () => {
    throw new Error("no");
  };
  const handlers: [
    claim: string,
    error: (error: unknown) => unknown,
    status: number,
    log: string | null,
  ][] = [
    ["answers", (error) => new Response(String(error), { status: 503 }), 503, null],
    ["answers later", async () => new Response("x", { status: 503 }), 503, null],
    ["answers by a stream", () => new Response(streamOf("a"), { status: 503 }), 503, null],
    ["answers nothing", () => undefined, 500, "Expected a Response of the app's error handler"],
    [
      "throws",
      () => {
        throw new Error("again");
      },
      500,
      "again",
    ],
    ["rejects", async () => Promise.reject(new Error("again")), 500, "again"],
    ["answers what can't be sent", () => Response.error(), 500, "status 0 can't be sent"],
    [
      "answers by a stream that fails",
      () => new Response(streamOf(new Error("again"))),
      500,
      "again",
    ],
  ];
  test.each(handlers)(
    "is the error handler's to answer, which %s",
    async (_claim, error, status, log) => {
      const engine = new FakeEngine(failing, { error: error as never });
      const wire = engine.connect();
      wire.send(request());
      await engine.settle();
      expect(statuses(wire.text)).toEqual([status]);
      if (log === null) expect(engine.lines).toEqual([]);
      else expect(engine.lines.join()).toContain(log);
      expect(engine.inFlight).toBe(0);
      expect(engine.told).toHaveLength(1);
    },
  );

  test("with a client that has left: the error handler's answer goes nowhere", async () => {
    const answer = later();
    const engine = new FakeEngine(failing, { error: () => answer.promise });
    const wire = engine.connect();
    wire.send(request());
    wire.reset();
    answer.resolve(new Response("x"));
    await engine.settle();
    expect([wire.text, engine.inFlight]).toEqual(["", 0]);
  });

  test("in a hook is the app's error too", async () => {
    const engine = new FakeEngine(undefined, {
      hooks: {
        preRequest: () => {
          throw new Error("hook");
        },
      },
    });
    const wire = engine.connect();
    wire.send(request());
    await engine.settle();
    expect(statuses(wire.text)).toEqual([500]);
    expect(engine.inFlight).toBe(0);
  });
});

test("a hook that fails behind the answer is logged, and costs nobody anything", async () => {
  const hooks = {
    postRequest: () => {
      throw new Error("boom");
    },
  };
  const engine = new FakeEngine(undefined, { hooks });
  const wire = engine.connect();
  wire.send(request() + request());
  await engine.settle();
  expect([statuses(wire.text), engine.inFlight]).toEqual([[200, 200], 0]);
  expect(engine.lines).toEqual(
    Array(2).fill("exception: Exception in post_request hook\nError: boom"),
  );
});

test("without observers nothing is told, and nothing else changes", async () => {
  const engine = new FakeEngine(undefined, { observed: false });
  const wire = engine.connect();
  wire.send(`${request()}nonsense\r\n\r\n`);
  await engine.settle();
  expect(statuses(wire.text)).toEqual([200, 400]);
  expect(engine.told).toEqual([]);
});

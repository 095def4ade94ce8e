import { describe, expect, test } from "bun:test";
import { FakeEngine } from "../../../support/fake-engine.ts";

const json = (fields: Record<string, string> = {}) => ({
  headers: { "content-type": "application/json", ...fields },
});
const streamOf = (...chunks: readonly string[]) =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(Buffer.from(chunk));
      controller.close();
    },
  });

/** Numbers as N, since they are times. */
async function answered(answer: () => unknown, method = "GET") {
  const engine = new FakeEngine(answer as never, { config: { enrichResponse: true } });
  const wire = engine.connect();
  wire.send(`${method} / HTTP/1.1\r\nHost: x\r\n\r\n`);
  await engine.settle();
  const [head = "", body = ""] = wire.text.split(/\r\n\r\n([^]*)/);
  return { head, body: body.replace(/(?<=": )[0-9.]+/g, "N"), engine };
}

const info = '"info": {"spawn": N, "t1": N, "d1": N, "d2": N, "pid": N, "nr": N, "max": N}';

describe("a JSON body is wrapped", () => {
  test.each<[claim: string, answer: () => unknown, body: string]>([
    ["of Response.json()", () => Response.json([true]), `{"res": [true], ${info}}`],
    ["of text", () => new Response('"a"', json()), `{"res": "a", ${info}}`],
    ["of bytes with a mark", () => new Response("\ufeffnull", json()), `{"res": null, ${info}}`],
    [
      "of JSON-LD",
      () => new Response("{}", json({ "content-type": "application/ld+json" })),
      `{"res": {}, ${info}}`,
    ],
  ])("%s", async (_claim, answer, body) => {
    expect((await answered(answer)).body).toBe(body);
  });

  test("that is a stream stays one", async () => {
    const { head, body } = await answered(() => new Response(streamOf('["a",', '"b"]'), json()));
    expect(head).toContain("Transfer-Encoding: chunked");
    expect(body.replace(/\r\n|\b[0-9a-f]+\r\n/g, "")).toContain('["a"');
  });

  test("that is a stream of a length has another one", async () => {
    const { head, body } = await answered(
      () => new Response(streamOf('["a"]'), json({ "content-length": "5" })),
    );
    expect(head).toMatch(/Content-Length: [0-9]{2,}/);
    expect(body).toBe(`{"res": ["a"], ${info}}`);
  });

  test("that is read into one buffer comes as it is to a client that reads slowly", async () => {
    const size = 60_000;
    const buffer = Buffer.alloc(size);
    const letters = [..."abcd"];
    const source = {
      async pull(controller: ReadableStreamDefaultController) {
        await new Promise((resolve) => setImmediate(resolve));
        const letter = letters.shift();
        if (letter === undefined) controller.close();
        else controller.enqueue(buffer.fill(letter));
      },
    };
    const engine = new FakeEngine(() => new Response(new ReadableStream(source), json()), {
      config: { enrichResponse: true },
    });
    const wire = engine.connect();
    wire.room = 1000;
    wire.send("GET / HTTP/1.0\r\n\r\n");
    await engine.settle();
    for (let turn = 0; turn < 12; turn++) {
      wire.drain(50_000);
      await engine.settle();
    }
    const runs = wire.text.match(/([abcd])\1{999,}/g) ?? [];
    expect(runs.map((run) => `${run[0]} ${run.length}`)).toEqual(
      [..."abcd"].map((letter) => `${letter} ${size}`),
    );
  });

  test("and what spoke of its bytes goes or becomes weak", async () => {
    const fields = { etag: '"1"', "content-md5": "x", "accept-ranges": "bytes" };
    const { head } = await answered(() => new Response("1", json(fields)));
    expect(head).toContain('W/"1"');
    expect(head).not.toMatch(/md5|ranges/i);
  });

  test("whose length nobody knows, to HEAD", async () => {
    const { head, body } = await answered(() => Response.json([1]), "HEAD");
    expect([body, /Content-Length/i.test(head)]).toEqual(["", false]);
  });
});

test.each<[claim: string, answer: () => unknown]>([
  ["text", () => new Response("hello")],
  ["JSON that is encoded", () => new Response("x", json({ "content-encoding": "gzip" }))],
  ["a part of JSON", () => new Response("x", json({ "content-range": "bytes 0-0/2" }))],
  [
    "JSON of another charset",
    () => new Response("x", json({ "content-type": "application/json; charset=utf-16" })),
  ],
  ["JSON without a body", () => new Response(null, json())],
  ["empty JSON", () => new Response("", json())],
  ["304", () => new Response(null, { status: 304, ...json() })],
])("%s is labelled in its head", async (_claim, answer) => {
  const { head } = await answered(answer);
  expect(head).toMatch(/server-timing: queue;dur=[0-9.]+, app;dur=[0-9.]+/i);
  expect(head).toMatch(/x-worker: pid=[0-9]+, nr=1, max=0, spawn=[0-9]+, t1=[0-9]+/i);
});

test("the app's own Server-Timing stays in front, also of one Response for many requests", async () => {
  const shared = new Response("x", { headers: { "server-timing": "db;dur=1" } });
  const { head, engine } = await answered(() => shared.clone());
  expect(head).toMatch(/server-timing: db;dur=1, queue;/i);
  expect(engine.lines).toEqual([]);
});

test("what is no Response is still an error", async () => {
  const { head } = await answered(() => "x");
  expect(head).toStartWith("HTTP/1.1 500");
});

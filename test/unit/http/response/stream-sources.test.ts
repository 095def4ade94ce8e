import { describe, expect, test } from "bun:test";
import { giveBlock, takeBlock } from "../../../../src/http/response/blocks.ts";
import { httpDate } from "../../../../src/http/response/head/date.ts";
import { installResponse } from "../../../../src/http/response/globals/install.ts";
import { OutputBuffer } from "../../../../src/http/response/output.ts";
import { prepareResponse } from "../../../../src/http/response/response.ts";
import { StreamPump } from "../../../../src/http/response/stream-pump.ts";
import type { PumpOutcome, PumpTarget } from "../../../../src/http/response/stream-pump.ts";

installResponse();

const rounds = 12;

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A connection that takes `room` bytes at a time. */
class Client implements PumpTarget {
  readonly output = new OutputBuffer();
  readonly outcomes: PumpOutcome[] = [];
  readonly #taken: Buffer[] = [];
  room = Infinity;

  flush(): boolean {
    return this.output.writeTo({
      write: (data) => {
        const piece = Buffer.from(data).subarray(0, this.room);
        this.room -= piece.length;
        this.#taken.push(Buffer.from(piece));
        return piece.length;
      },
    });
  }

  pumpEnded(outcome: PumpOutcome): void {
    this.outcomes.push(outcome);
    this.flush();
  }

  get received(): Buffer {
    return Buffer.concat(this.#taken);
  }
}

function pump(response: Response, client: Client, versionMinor = 1): StreamPump {
  const context = { head: false, versionMinor, keepAlive: true, date: httpDate(0), request: null };
  const prepared = prepareResponse(response, context);
  if (prepared.type !== "stream") throw new Error(`Not a stream: ${prepared.type}`);
  const started = new StreamPump(prepared, prepared.body as ReadableStream, client);
  started.start();
  return started;
}

/** The client reads on, `step` bytes at a time, until the pump has ended. */
async function readOn(started: StreamPump, client: Client, step: () => number): Promise<void> {
  while (client.outcomes.length === 0 || client.output.byteLength > 0) {
    await turn();
    client.room = step();
    if (client.flush()) started.drained();
  }
}

/** The body behind the head; what isn't whole is left out. */
function bodyOf(received: Buffer): { body: Buffer; ended: boolean } {
  const at = received.indexOf("\r\n\r\n") + 4;
  const head = received.toString("latin1", 0, at);
  if (!head.includes("Transfer-Encoding: chunked")) {
    return { body: received.subarray(at), ended: true };
  }
  const parts: Buffer[] = [];
  for (let start = at; ;) {
    const end = received.indexOf("\r\n", start);
    if (end === -1) return { body: Buffer.concat(parts), ended: false };
    const size = parseInt(received.toString("latin1", start, end), 16);
    if (size === 0) {
      expect(received.toString("latin1", end)).toBe("\r\n\r\n");
      return { body: Buffer.concat(parts), ended: true };
    }
    parts.push(received.subarray(end + 2, end + 2 + size));
    expect(received.toString("latin1", end + 2 + size, end + 4 + size)).toBe("\r\n");
    start = end + 4 + size;
  }
}

type Chunk = string | Uint8Array;

/** What a source has been told, in order. */
interface Told {
  pulls: number;
  cancels: number;
}

/** Gives `chunks`, with a wait in front of each that `waits` says, and then fails if `error` is given. */
type Make = (chunks: readonly Chunk[], waits: () => boolean, told: Told, error?: Error) => unknown;

async function* generate(...[chunks, waits, told, error]: Parameters<Make>) {
  let whole = false;
  try {
    for (const chunk of chunks) {
      if (waits()) await turn();
      told.pulls += 1;
      yield chunk;
    }
    if (error !== undefined) {
      await turn();
      throw error;
    }
    whole = true;
  } catch (thrown) {
    whole = true;
    throw thrown;
  } finally {
    if (!whole) told.cancels += 1;
  }
}

function pulled(...[chunks, waits, told, error]: Parameters<Make>): ReadableStream {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (waits()) await turn();
      if (at < chunks.length) {
        told.pulls += 1;
        controller.enqueue(chunks[at++]);
      } else if (error === undefined) controller.close();
      else {
        await turn();
        controller.error(error);
      }
    },
    cancel: () => void (told.cancels += 1),
  });
}

/** Those that a client's leaving reaches, and that tell how far they have been asked. */
const asked: [name: string, make: Make][] = [
  ["a stream that is pulled", pulled],
  ["an async generator", generate],
  [
    "an object with an async iterator",
    (...given) => ({ [Symbol.asyncIterator]: () => generate(...given) }),
  ],
  [
    "an async generator's function",
    (...given) =>
      async function* () {
        yield* generate(...given);
      },
  ],
  [
    "a stream of bytes",
    (chunks, waits, told, error) => {
      let at = 0;
      return new ReadableStream({
        type: "bytes",
        async pull(controller) {
          if (waits()) await turn();
          while (at < chunks.length && chunks[at]!.length === 0) at += 1;
          if (at < chunks.length) {
            told.pulls += 1;
            controller.enqueue(Buffer.from(chunks[at++] as string));
          } else if (error === undefined) controller.close();
          else {
            await turn();
            controller.error(error);
          }
        },
        cancel: () => void (told.cancels += 1),
      });
    },
  ],
  [
    "a direct stream",
    (chunks, waits, told, error) =>
      new ReadableStream({
        type: "direct",
        async pull(controller: { write(chunk: Chunk): unknown; close(): void }) {
          for (const chunk of chunks) {
            if (waits()) await turn();
            if (told.cancels > 0) return;
            told.pulls += 1;
            await controller.write(chunk);
          }
          if (error === undefined) return controller.close();
          await turn();
          throw error;
        },
        cancel: () => void (told.cancels += 1),
      } as never),
  ],
];

const sources: [name: string, make: Make][] = [
  ...asked,
  [
    "a stream whose chunks are there",
    (chunks, _waits, told) =>
      new ReadableStream({
        start(controller) {
          for (const chunk of chunks) controller.enqueue(chunk);
          controller.close();
        },
        cancel: () => void (told.cancels += 1),
      }),
  ],
  ["a branch of a tee", (...given) => pulled(...given).tee()[0]],
  [
    "a TransformStream",
    (...given) =>
      pulled(...given).pipeThrough(
        new TransformStream({ transform: (chunk, controller) => controller.enqueue(chunk) }),
      ),
  ],
  ["ReadableStream.from()", (...given) => from(generate(...given))],
];

/** Not in bun-types. */
const from = Reflect.get(ReadableStream, "from") as (iterable: unknown) => ReadableStream;

const sizes = [0, 1, 15, 16, 300, 4096, 32_768, 32_769, 70_000, 200_000];

function randomChunks(random: () => number): Chunk[] {
  return Array.from({ length: Math.floor(random() * 30) }, (_, index) => {
    const size = sizes[Math.floor(random() * random() * sizes.length)]!;
    const letter = String.fromCharCode(97 + (index % 26));
    if (random() < 0.3) return `${letter}\u00e9\u6f22`.repeat(size / 6);
    return Buffer.alloc(size, letter);
  });
}

const whole = (chunks: readonly Chunk[]) => Buffer.concat(chunks.map((one) => Buffer.from(one)));

describe.each(sources)("%s", (_name, make) => {
  test("comes as it is, however it comes, and however the client takes it", async () => {
    const checks = Array.from({ length: rounds }, async (_, seed) => {
      const random = randomOf(seed);
      const chunks = randomChunks(random);
      const client = new Client();
      const expected = whole(chunks);
      const waiting = random() * random();
      const body = make(chunks, () => random() < waiting, { pulls: 0, cancels: 0 });
      const headers = seed % 3 === 1 ? { "Content-Length": `${expected.length}` } : {};
      const step = seed % 2 === 0 ? () => Infinity : () => Math.floor(random() * 100_000);
      client.room = step();
      const started = pump(
        new Response(body as ReadableStream, { headers }),
        client,
        seed % 3 === 2 ? 0 : 1,
      );
      await readOn(started, client, step);
      expect(client.outcomes).toEqual([{ type: "complete" }]);
      const { body: got, ended } = bodyOf(client.received);
      expect([ended, got.length, got.equals(expected)]).toEqual([true, expected.length, true]);
      expect(started.bodyBytes).toBe(expected.length);
    });
    await Promise.all(checks);
  });
});

const four = ["aaaa", "bbbb", "cccc", "dddd"].map((text) => text.repeat(20_000));

describe.each(asked)("%s", (_name, make) => {
  test.each([false, true])("is told once that its client has left, waits: %p", async (waits) => {
    for (let turns = 0; turns < 8; turns++) {
      const client = new Client();
      client.room = turns % 2 === 0 ? 100_000 : Infinity;
      const told = { pulls: 0, cancels: 0 };
      const made = make([...four, ...four], () => waits, told);
      const started = pump(new Response(made as ReadableStream), client);
      for (let count = 0; count < turns; count++) await turn();
      const over = client.outcomes.length === 1;
      started.cancel(new Error("left"));
      started.cancel(new Error("left"));
      for (let count = 0; count < 12; count++) await turn();
      expect(client.outcomes).toEqual([{ type: over ? "complete" : "cancelled" }]);
      const { pulls } = told;
      // A generator that has never been asked has nothing to clean up.
      expect(told.cancels).toBe(over || pulls === 0 ? told.cancels : 1);
      expect(told.cancels).toBeLessThan(2);
      for (let count = 0; count < 3; count++) await turn();
      expect(told.pulls).toBe(pulls);
    }
  });

  test("that fails ends the body without a last chunk, wherever that is", async () => {
    for (let count = 1; count < four.length; count++) {
      const error = new Error("boom");
      const client = new Client();
      const given = four.slice(0, count);
      const told = { pulls: 0, cancels: 0 };
      const body = make(given, () => true, told, error);
      const started = pump(new Response(body as ReadableStream), client);
      await readOn(started, client, () => Infinity);
      expect(client.outcomes).toEqual([{ type: "failed", error, headSent: true }]);
      const { body: got, ended } = bodyOf(client.received);
      expect([ended, got.equals(whole(given))]).toEqual([false, true]);
    }
  });

  test("isn't asked on while the client doesn't read, and then is", async () => {
    const client = new Client();
    client.room = 200_000;
    const told = { pulls: 0, cancels: 0 };
    const chunks = Array.from({ length: 60 }, () => Buffer.alloc(50_000, "x"));
    const started = pump(new Response(make(chunks, () => false, told) as ReadableStream), client);
    for (let count = 0; count < 50; count++) await turn();
    expect(told.pulls).toBeLessThan(12);
    expect(client.output.byteLength).toBeLessThan(400_000);
    await readOn(started, client, () => Infinity);
    expect(bodyOf(client.received).body.length).toBe(3_000_000);
  });
});

describe("a generator", () => {
  const answer = async (body: unknown, init?: ResponseInit) => {
    const client = new Client();
    const started = pump(new Response(body as ReadableStream, init), client);
    await readOn(started, client, () => Infinity);
    return { client, started, text: bodyOf(client.received).body.toString() };
  };

  test("gives what it yields, null and what it returns left out", async () => {
    const { text } = await answer(
      (async function* () {
        yield "a";
        yield null;
        yield undefined;
        yield new Uint16Array([0x6262]);
        return "never";
      })(),
    );
    expect(text).toBe("abb");
  });

  test.each([7, {}, Symbol.iterator])("ends with %p for a chunk, and cleans up", async (chunk) => {
    let cleaned = 0;
    const { client } = await answer(
      (async function* () {
        try {
          yield "a";
          await turn();
          yield chunk;
        } finally {
          cleaned += 1;
        }
      })(),
    );
    expect(client.outcomes).toMatchObject([{ type: "failed", headSent: true }]);
    await turn();
    expect(cleaned).toBe(1);
  });

  test("that fails before anything has left is answered by a 500", async () => {
    const error = new Error("boom");
    for (const chunks of [[], ["a"]]) {
      const { client } = await answer(
        (async function* () {
          yield* chunks;
          throw error;
        })(),
      );
      expect(client.outcomes).toEqual([{ type: "failed", error, headSent: false }]);
      expect(client.received.length).toBe(0);
    }
  });

  interface Controller {
    write(chunk: unknown): number | Promise<number>;
    flush(): unknown;
    end(): unknown;
    close(error?: Error): void;
  }

  test("writes by the controller that yield returns", async () => {
    const taken: unknown[] = [];
    const { text, client } = await answer(
      (async function* (): AsyncGenerator<string, void, Controller> {
        const controller = yield "a";
        taken.push(controller.write("b\u00e9"), controller.write(new Uint8Array([99])));
        controller.flush();
        expect(() => controller.write(7)).toThrow(TypeError);
        yield "d";
        controller.write("e");
        controller.end();
        taken.push(controller.write("f"));
        yield "g";
      })(),
    );
    expect(text).toBe("ab\u00e9cde");
    expect(taken).toEqual([3, 1, 0]);
    expect(client.outcomes).toEqual([{ type: "complete" }]);
  });

  test("waits for the client by what write() returns", async () => {
    const client = new Client();
    client.room = 1000;
    const order: string[] = [];
    const started = pump(
      new Response(
        (async function* (): AsyncGenerator<string, void, Controller> {
          const controller = yield "a";
          const wait = controller.write(Buffer.alloc(100_000));
          order.push(wait instanceof Promise ? "waits" : "goes on");
          order.push(`${await wait}`);
        })() as never,
      ),
      client,
    );
    for (let count = 0; count < 5; count++) await turn();
    expect(order).toEqual(["waits"]);
    await readOn(started, client, () => Infinity);
    expect(order).toEqual(["waits", "100000"]);
  });

  test.each([20_000, 60_000, 200_000])(
    "may use a buffer of %d bytes again when a stream asks for more",
    async (size) => {
      const client = new Client();
      client.room = 1000;
      const bytes = Buffer.alloc(size);
      const letters = [..."abc"];
      const started = pump(
        new Response(
          new ReadableStream({
            async pull(controller) {
              await turn();
              const letter = letters.shift();
              if (letter === undefined) controller.close();
              else controller.enqueue(bytes.fill(letter));
            },
          }),
        ),
        client,
      );
      for (let count = 0; count < 5; count++) await turn();
      await readOn(started, client, () => 50_000);
      const { body, ended } = bodyOf(client.received);
      expect(ended).toBe(true);
      expect(body.equals(Buffer.concat([..."abc"].map((each) => Buffer.alloc(size, each))))).toBe(
        true,
      );
    },
  );

  test.each([20_000, 60_000, 200_000])(
    "may use a buffer of %d bytes again when write() has returned",
    async (size) => {
      const client = new Client();
      client.room = 1000;
      const started = pump(
        new Response(
          (async function* (): AsyncGenerator<string, void, Controller> {
            const controller = yield "";
            const bytes = Buffer.alloc(size);
            for (const letter of "abc") controller.write(bytes.fill(letter));
            bytes.fill("x");
          })() as never,
        ),
        client,
      );
      await readOn(started, client, () => 50_000);
      const { body, ended } = bodyOf(client.received);
      expect(ended).toBe(true);
      expect(
        body.equals(Buffer.concat([..."abc"].map((letter) => Buffer.alloc(size, letter)))),
      ).toBe(true);
    },
  );

  test("fails by its controller", async () => {
    const error = new Error("boom");
    const { client } = await answer(
      (async function* (): AsyncGenerator<string, void, Controller> {
        const controller = yield "a";
        await turn();
        controller.close(error);
      })(),
    );
    expect(client.outcomes).toEqual([{ type: "failed", error, headSent: true }]);
  });

  test("whose Response was cloned, or whose body somebody else has, is read by one of them", async () => {
    const generator = () =>
      (async function* () {
        yield* ["a", "b"];
      })() as never;
    const original = new Response(generator());
    const copy = original.clone() as typeof original;
    for (const response of [original, copy]) {
      const client = new Client();
      await readOn(pump(response, client), client, () => Infinity);
      expect(bodyOf(client.received).body.toString()).toBe("ab");
    }
    const taken = new Response(generator());
    const derived = new Response(taken.body, taken as never);
    const client = new Client();
    await readOn(pump(derived, client), client, () => Infinity);
    expect(bodyOf(client.received).body.toString()).toBe("ab");
    const sent = new Response(generator());
    const { body } = sent;
    pump(sent, new Client());
    expect(() => body?.getReader()).toThrow(TypeError);
    const read = new Response(generator());
    read.body?.getReader();
    expect(() => pump(read, new Client())).toThrow("Not a stream: broken");
  });

  test("of a subclass with a body of its own isn't asked", async () => {
    class Mine extends Response {
      override body = new Response("mine").body;
    }
    const client = new Client();
    const mine = new Mine(
      (async function* () {
        yield "theirs";
      })() as never,
    );
    await readOn(pump(mine, client), client, () => Infinity);
    expect(bodyOf(client.received).body.toString()).toBe("mine");
  });
});

describe("StreamPump gathers", () => {
  test("what comes while the client doesn't read in no more memory than it needs", async () => {
    const client = new Client();
    client.room = 10;
    let controller: ReadableStreamDefaultController | undefined;
    const body = new ReadableStream({ start: (given) => void (controller = given) });
    const started = pump(new Response(body), client, 0);
    await turn();
    await turn();
    const before = client.output.byteLength;
    const block = takeBlock();
    giveBlock(block);
    controller?.enqueue("event");
    await turn();
    expect(client.output.byteLength).toBe(before + 5);
    expect(takeBlock()).toBe(block);
    controller?.close();
    await readOn(started, client, () => Infinity);
    expect(bodyOf(client.received).body.toString()).toBe("event");
  });

  test("a turn's chunks in one write, but for the first behind a silence", async () => {
    const writes: string[] = [];
    const client = new Client();
    client.flush = () =>
      client.output.writeTo({
        write: (data) => writes.push(Buffer.from(data).toString()) && data.length,
      });
    let controller: ReadableStreamDefaultController | undefined;
    pump(
      new Response(new ReadableStream({ start: (given) => void (controller = given) })),
      client,
      0,
    );
    controller?.enqueue("a");
    controller?.enqueue("b");
    await turn();
    await turn();
    expect(writes).toHaveLength(1);
    expect(writes[0]).toEndWith("\r\n\r\nab");
    controller?.enqueue("c");
    // Its reader is told in a microtask.
    for (let count = 0; count < 10; count++) await Promise.resolve();
    expect(writes.slice(1)).toEqual(["c"]);
    controller?.enqueue("d");
    controller?.enqueue("e");
    await turn();
    await turn();
    expect(writes.slice(1)).toEqual(["c", "de"]);
  });
});

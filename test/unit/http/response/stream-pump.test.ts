import { describe, expect, test } from "bun:test";
import { httpDate } from "../../../../src/http/response/head/date.ts";
import { installResponse } from "../../../../src/http/response/globals/install.ts";
import { OutputBuffer } from "../../../../src/http/response/output.ts";
import { StreamPump } from "../../../../src/http/response/stream-pump.ts";
import type { PumpOutcome, PumpTarget } from "../../../../src/http/response/stream-pump.ts";
import { prepareResponse } from "../../../../src/http/response/response.ts";

installResponse();

const head = "HEAD|";

/** A connection whose client reads `room` bytes, and more when it is told to. */
class Client implements PumpTarget {
  readonly output = new OutputBuffer();
  /** What each flush wrote. */
  readonly writes: string[] = [];
  readonly outcome: Promise<PumpOutcome>;
  #end: (outcome: PumpOutcome) => void;
  #changed: () => void = () => {};
  room: number;

  constructor(room = Infinity) {
    this.room = room;
    const { promise, resolve } = Promise.withResolvers<PumpOutcome>();
    this.outcome = promise;
    this.#end = resolve;
  }

  flush(): boolean {
    let text = "";
    const empty = this.output.writeTo({
      write: (data) => {
        const taken = Math.min(this.room, data.length);
        this.room -= taken;
        text += Buffer.from(data).toString("latin1", 0, taken);
        return taken;
      },
    });
    if (text !== "")
      this.writes.push(text.replace(/HTTP.*?\r\n\r\n/s, head).replaceAll("\r\n", "|"));
    this.#changed();
    return empty;
  }

  pumpEnded(outcome: PumpOutcome): void {
    this.flush();
    this.#end(outcome);
  }

  /** Waits until something has been written. */
  async wrote(count: number): Promise<void> {
    while (this.writes.length < count) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}

interface Options {
  length?: number;
  versionMinor?: number;
}

function pump(body: unknown, client: Client, options: Options = {}): StreamPump {
  const headers = options.length === undefined ? {} : { "Content-Length": String(options.length) };
  const prepared = prepareResponse(new Response(body as ReadableStream, { headers }), {
    head: false,
    versionMinor: options.versionMinor ?? 1,
    keepAlive: true,
    date: httpDate(0),
    request: null,
  });
  if (prepared.type !== "stream") throw new Error(`Not a stream: ${prepared.type}`);
  const started = new StreamPump(prepared, prepared.body as ReadableStream, client);
  started.start();
  return started;
}

async function* chunks(...list: readonly unknown[]): AsyncGenerator<unknown> {
  for (const chunk of list) {
    if (chunk instanceof Error) throw chunk;
    yield chunk;
  }
}

/** A plain stream, pulled one chunk at a time. */
function stream(...list: readonly unknown[]): ReadableStream {
  const iterator = chunks(...list);
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe("StreamPump frames", () => {
  test.each<[string, unknown, Options, string]>([
    [
      "chunks",
      stream(bytes("one"), bytes("0123456789abcdef")),
      {},
      "3|one|10|0123456789abcdef|0||",
    ],
    ["text as UTF-8", stream("h\xe9"), {}, "3|h\xc3\xa9|0||"],
    [
      "buffers and views",
      stream(new ArrayBuffer(1), new Uint16Array([0x4141])),
      {},
      "1|\0|2|AA|0||",
    ],
    ["an async generator", chunks("ab"), {}, "2|ab|0||"],
    ["no empty chunk, which would be the last", stream(bytes(""), "a", ""), {}, "1|a|0||"],
    ["nothing", stream(), {}, "0||"],
    ["by length", stream("ab", "c"), { length: 3 }, "abc"],
    ["by close", stream("ab", "c"), { versionMinor: 0 }, "abc"],
  ])("%s", async (_name, body, options, expected) => {
    const client = new Client();
    pump(body, client, options);
    expect(await client.outcome).toEqual({ type: "complete" });
    expect(client.writes.join("")).toBe(head + expected);
  });
});

describe("StreamPump", () => {
  test("sends head, first and last chunk in one write when they are there", async () => {
    const client = new Client();
    pump(
      new ReadableStream({
        start(controller) {
          controller.enqueue(bytes("a"));
          controller.close();
        },
      }),
      client,
    );
    await client.outcome;
    expect(client.writes).toEqual([`${head}1|a|0||`]);
  });

  test("sends the head when the first chunk lets us wait, and each event at once", async () => {
    const client = new Client();
    let controller: ReadableStreamDefaultController | undefined;
    const body = new ReadableStream({
      start(given) {
        controller = given;
      },
    });
    pump(body, client);
    await client.wrote(1);
    expect(client.writes).toEqual([head]);
    controller?.enqueue(bytes("data: 1\n\n"));
    await client.wrote(2);
    expect(client.writes[1]).toBe("9|data: 1\n\n|");
    controller?.close();
    expect(await client.outcome).toEqual({ type: "complete" });
  });

  test("reads no further while the client doesn't", async () => {
    let pulls = 0;
    const chunk = new Uint8Array(64 * 1024);
    const body = new ReadableStream(
      {
        pull(controller) {
          pulls += 1;
          if (pulls > 20) controller.close();
          else controller.enqueue(chunk);
        },
      },
      { highWaterMark: 0 },
    );
    const client = new Client(200_000);
    const started = pump(body, client, { length: 20 * chunk.byteLength });
    while (client.room > 0) await new Promise((resolve) => setImmediate(resolve));
    const atStop = pulls;
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(pulls).toBe(atStop);
    expect(pulls).toBeLessThan(6);
    expect(client.output.byteLength).toBeLessThan(2 * chunk.byteLength);
    client.room = Infinity;
    client.flush();
    started.drained();
    expect(await client.outcome).toEqual({ type: "complete" });
    expect(started.bodyBytes).toBe(20 * chunk.byteLength);
  });

  test("gives others a turn when a stream never waits", async () => {
    let turns = 0;
    let stopped = false;
    let sent = 0;
    const count = (): void => {
      turns += 1;
      if (!stopped) setImmediate(count);
    };
    setImmediate(count);
    const client = new Client();
    pump(
      new ReadableStream(
        {
          pull(controller) {
            sent += 1;
            if (sent > 100) controller.close();
            else controller.enqueue(new Uint8Array(64 * 1024));
          },
        },
        { highWaterMark: 0 },
      ),
      client,
      { versionMinor: 0 },
    );
    await client.outcome;
    stopped = true;
    expect(turns).toBeGreaterThan(2);
  });

  test("says that nothing was sent when the stream fails at once", async () => {
    const client = new Client();
    const error = new Error("boom");
    pump(stream(error), client);
    expect(await client.outcome).toEqual({ type: "failed", error, headSent: false });
    expect(client.writes).toEqual([]);
  });

  test("ends without a last chunk when the stream fails midway", async () => {
    const client = new Client();
    const error = new Error("boom");
    pump(stream("a", error), client);
    expect(await client.outcome).toEqual({ type: "failed", error, headSent: true });
    expect(client.writes.join("")).toBe(`${head}1|a|`);
  });

  test("fails on a chunk that is neither text nor bytes", async () => {
    const client = new Client();
    pump(stream("a", 7), client);
    const outcome = await client.outcome;
    expect(outcome.type).toBe("failed");
  });

  test.each<[string, Options, string[], string]>([
    ["more than promised", { length: 3 }, ["ab", "cd"], "ab"],
    ["less than promised", { length: 3 }, ["ab"], "ab"],
  ])("notices %s", async (_name, options, list, expected) => {
    const client = new Client();
    pump(stream(...list), client, options);
    expect((await client.outcome).type).toBe("wrong length");
    expect(client.writes.join("")).toBe(head + expected);
  });

  test("leaves room for a 500 when the first chunk, or none, breaks the promise", async () => {
    for (const list of [[], ["abcd"]]) {
      const client = new Client();
      pump(stream(...list), client, { length: 3 });
      expect(await client.outcome).toMatchObject({ type: "failed", headSent: false });
      expect(client.writes).toEqual([]);
    }
  });

  test("cancels the app's stream when the client leaves, waiting for chunks or for room", async () => {
    for (const room of [Infinity, 10]) {
      const reason = new Error("left");
      const cancelled = Promise.withResolvers<unknown>();
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new Uint8Array(100_000));
        },
        cancel: cancelled.resolve,
      });
      const client = new Client(room);
      const started = pump(body, client);
      await client.wrote(1);
      started.cancel(reason);
      expect(await cancelled.promise).toBe(reason);
      expect(await client.outcome).toEqual({ type: "cancelled" });
    }
  });
});

interface DirectController {
  write(chunk: string | Uint8Array): number | Promise<number>;
  flush(): void;
  close(): void;
}

function direct(source: object): ReadableStream {
  return new ReadableStream({ type: "direct", ...source } as never);
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("StreamPump and a direct stream", () => {
  test("asks once, and stays open until the app closes it", async () => {
    const client = new Client();
    let pulls = 0;
    const { promise, resolve } = Promise.withResolvers<DirectController>();
    const body = direct({
      pull(controller: DirectController) {
        pulls += 1;
        controller.write("one");
        resolve(controller);
      },
    });
    pump(body, client);
    const controller = await promise;
    await client.wrote(1);
    for (let count = 0; count < 10; count++) await turn();
    expect(client.writes).toEqual([`${head}3|one|`]);
    controller.write("two");
    await client.wrote(2);
    controller.close();
    expect(await client.outcome).toEqual({ type: "complete" });
    expect(client.writes.join("")).toBe(`${head}3|one|3|two|0||`);
    expect(pulls).toBe(1);
  });

  test("ends it with its promise, and fails with it", async () => {
    const error = new Error("boom");
    for (const fails of [false, true]) {
      const client = new Client();
      const body = direct({
        async pull(controller: DirectController) {
          controller.write("one");
          await client.wrote(1);
          if (fails) throw error;
          controller.write("two");
        },
      });
      pump(body, client);
      const outcome = await client.outcome;
      if (fails) expect(outcome).toEqual({ type: "failed", error, headSent: true });
      else expect(outcome).toEqual({ type: "complete" });
      expect(client.writes.join("")).toBe(`${head}3|one|${fails ? "" : "3|two|0||"}`);
    }
  });

  test("says that nothing was sent when it throws, before or after a write", async () => {
    for (const writes of [false, true]) {
      const client = new Client();
      const error = new Error("boom");
      const body = direct({
        pull(controller: DirectController) {
          if (writes) controller.write("one");
          throw error;
        },
      });
      pump(body, client);
      expect(await client.outcome).toEqual({ type: "failed", error, headSent: false });
      expect(client.writes).toEqual([]);
    }
  });

  test("cancels it when the client leaves, and takes what its promise does then", async () => {
    const reason = new Error("left");
    const cancelled = Promise.withResolvers<unknown>();
    const { promise, resolve } = Promise.withResolvers<void>();
    const client = new Client();
    const body = direct({
      async pull(controller: DirectController) {
        controller.write("one");
        await promise;
        expect(controller.write("two")).toBe(0);
      },
      cancel: cancelled.resolve,
    });
    const started = pump(body, client);
    await client.wrote(1);
    started.cancel(reason);
    expect(await cancelled.promise).toBe(reason);
    expect(await client.outcome).toEqual({ type: "cancelled" });
    resolve();
    for (let count = 0; count < 3; count++) await turn();
    expect(client.writes).toEqual([`${head}3|one|`]);
  });

  test("has write() wait while the client doesn't read", async () => {
    let written = 0;
    const chunk = new Uint8Array(64 * 1024);
    const body = direct({
      async pull(controller: DirectController) {
        for (; written < 20; written++) await controller.write(chunk);
      },
    });
    const client = new Client(200_000);
    const started = pump(body, client, { length: 20 * chunk.byteLength });
    while (client.room > 0) await turn();
    for (let count = 0; count < 10; count++) await turn();
    expect(written).toBeLessThan(8);
    client.room = Infinity;
    client.flush();
    started.drained();
    expect(await client.outcome).toEqual({ type: "complete" });
    expect(started.bodyBytes).toBe(20 * chunk.byteLength);
  });

  test("loses nothing of what an app writes at once", async () => {
    const size = 10_000_000;
    const whole = Buffer.alloc(size, "0123456789");
    const body = direct({
      async pull(controller: DirectController) {
        void controller.write(whole.subarray(0, 6_000_000));
        await turn();
        void controller.write(whole.subarray(6_000_000));
      },
    });
    const client = new Client(100_000);
    const started = pump(body, client, { length: size });
    while (Bun.peek.status(client.outcome) === "pending") {
      await turn();
      client.room = 1_000_000;
      if (client.flush()) started.drained();
    }
    expect(await client.outcome).toEqual({ type: "complete" });
    expect(client.writes.join("") === head + whole.toString("latin1")).toBe(true);
  });
});

describe("OutputBuffer", () => {
  test("keeps order and content whatever the sink takes", () => {
    const output = new OutputBuffer();
    const expected: string[] = [];
    const add = (text: string): void => {
      expected.push(text);
      if (expected.length % 3 === 0) output.addBytes(Buffer.from(text));
      else if (expected.length % 3 === 1) output.addAscii(text);
      else output.addUtf8(`${text}\u00e9`);
      if (expected.length % 3 === 2) expected.push("\u00e9");
    };
    for (let index = 0; index < 100; index++) add(`part ${index} `);
    const taken: Buffer[] = [];
    let step = 0;
    while (output.byteLength > 0) {
      const before = output.byteLength;
      step += 1;
      let left = step % 7;
      output.writeTo({
        write(data) {
          const piece = Buffer.from(data).subarray(0, left);
          left -= piece.length;
          taken.push(piece);
          return piece.length;
        },
      });
      expect(before - output.byteLength).toBeLessThan(7);
    }
    expect(Buffer.concat(taken).toString()).toBe(expected.join(""));
  });

  test("joins small pieces into one write, and doesn't copy large ones", () => {
    const output = new OutputBuffer();
    const large = new Uint8Array(1_000_000);
    output.addAscii("a");
    output.addBytes(Buffer.from("b"));
    output.addBytes(large);
    output.addUtf8("\u00e9");
    const writes: (string | Uint8Array)[] = [];
    output.writeTo({
      write(data) {
        // Small ones are in a buffer that is used again.
        writes.push(data === large ? data : Buffer.from(data).toString());
        return data.length;
      },
    });
    expect(writes).toEqual(["ab", large, "\u00e9"]);
    expect(writes[1]).toBe(large);
  });

  test("sends texts larger than its buffer, after a small one and in part", () => {
    const output = new OutputBuffer();
    const text = Array.from({ length: 100_000 }, (_, index) => `${index},`).join("");
    output.addAscii("head");
    output.addAscii(text);
    output.addAscii("tail");
    let sent = "";
    while (output.byteLength > 0) {
      let calls = 0;
      output.writeTo({
        write(data) {
          calls += 1;
          const taken = calls === 1 ? Math.min(99_999, data.length) : 0;
          sent += Buffer.from(data).toString("latin1", 0, taken);
          return taken;
        },
      });
    }
    expect(sent).toBe(`head${text}tail`);
  });

  test.each([16_000, 65_536, 300_000])("keeps owned bytes until they are written: %d", (size) => {
    const output = new OutputBuffer();
    const kept = new Uint8Array(size).fill(1);
    const owned = [new Uint8Array(size).fill(2), new Uint8Array(size).fill(3)];
    const whole = `a${"\x01".repeat(size)}${"\x02".repeat(size)}b${"\x03".repeat(size)}`;
    output.addAscii("a");
    output.addBytes(kept);
    output.addOwnedBytes(owned[0]!);
    output.addAscii("b");
    output.addOwnedBytes(owned[1]!);
    let sent = "";
    for (let turn = 0; turn < 1000 && output.byteLength > 0; turn += 1) {
      output.writeTo({
        write(data) {
          const taken = Math.min(data.length, 7001);
          sent += Buffer.from(data as Uint8Array).toString("latin1", 0, taken);
          return taken;
        },
      });
    }
    expect(sent === whole).toBe(true);
    // Small ones are left to the collector.
    const left = size < 16_384 ? size : 0;
    expect(owned.map((bytes) => bytes.byteLength)).toEqual([left, left]);
    expect(kept.byteLength).toBe(size);
  });

  test("keeps what is left of bytes that change, in memory that is free when the client leaves", () => {
    const output = new OutputBuffer();
    const changing = new Uint8Array(50_000).fill(1);
    output.addBytes(changing);
    const written: Uint8Array[] = [];
    const taking = (count: number) => ({
      write(data: string | Uint8Array) {
        written.push(data as Uint8Array);
        return count;
      },
    });
    output.writeTo(taking(10_000));
    output.keep(changing);
    changing.fill(2);
    output.writeTo(taking(0));
    const [, left] = written;
    expect(left?.every((byte) => byte === 1)).toBe(true);
    expect(left?.byteLength).toBe(40_000);
    output.clear();
    expect([left?.byteLength, changing.byteLength]).toEqual([0, 50_000]);
  });

  test("takes a sink that is closed", () => {
    const output = new OutputBuffer();
    output.addAscii("a");
    expect(output.broken).toBe(false);
    expect(output.writeTo({ write: () => -1 })).toBe(false);
    expect(output.broken).toBe(true);
    output.addBytes(Buffer.from("b"));
    expect(output.writeTo({ write: () => -1 })).toBe(false);
    expect(output.byteLength).toBe(2);
    output.clear();
    expect(output.byteLength).toBe(0);
  });
});

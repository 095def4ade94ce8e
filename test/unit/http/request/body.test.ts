import { describe, expect, test } from "bun:test";
import { highWaterBytes } from "../../../../src/http/limits.ts";
import { RequestBody } from "../../../../src/http/request/body.ts";

class Source {
  readonly calls: string[] = [];
  onFirstRead(): void {
    this.calls.push("first read");
  }
  onPause(): void {
    this.calls.push("pause");
  }
  onResume(): void {
    this.calls.push("resume");
  }
}

function create(length: number | null = null): [RequestBody, Source] {
  const source = new Source();
  return [new RequestBody(source, length), source];
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const left = new DOMException("The connection was closed.", "AbortError");

describe("RequestBody.read()", () => {
  test.each([
    ["of known length", 9],
    ["of unknown length", null],
    ["whose length is a lie", 4],
  ])("gathers a body %s", async (_name, length) => {
    const [body] = create(length);
    body.push(bytes("one"));
    const text = body.read("text", "");
    body.push(bytes("two"));
    body.push(bytes("six"));
    body.end();
    expect(await text).toBe("onetwosix");
  });

  test("gives exact memory: nothing of a receive chunk is handed out", async () => {
    const chunk = bytes("POST / hello rest");
    const [body] = create(5);
    body.push(chunk.subarray(7, 12));
    body.end();
    const result = await body.read("bytes", "");
    expect(Buffer.from(result).toString()).toBe("hello");
    expect(result.buffer.byteLength).toBe(5);
    expect(result.buffer).not.toBe(chunk.buffer);
  });

  test("doesn't believe a Content-Length before the bytes come", async () => {
    const [body] = create(2 ** 40);
    const result = body.read("bytes", "");
    body.push(new Uint8Array(2 * 1024 * 1024).fill(1));
    body.push(bytes("x"));
    body.end();
    expect((await result).byteLength).toBe(2 * 1024 * 1024 + 1);
  });

  test("takes all without a pause", async () => {
    const [body, source] = create();
    const result = body.read("bytes", "");
    for (let count = 0; count < 10; count++) body.push(new Uint8Array(highWaterBytes));
    body.end();
    expect((await result).byteLength).toBe(10 * highWaterBytes);
    expect(source.calls).toEqual(["first read"]);
  });

  test.each([
    ["text", true],
    ["json", true],
    ["bytes", true],
    ["arrayBuffer", true],
    ["blob", false],
    ["formData", false],
  ] as const)("%s of a chunk that nobody else refers to", async (kind, isFreed) => {
    const type = "application/x-www-form-urlencoded";
    const sent = kind === "json" ? JSON.stringify("x".repeat(20_000)) : `a=${"x".repeat(20_000)}`;
    const chunk = new Uint8Array(Buffer.from(`head${sent}`));
    const [body] = create(sent.length);
    body.push(chunk.subarray(4), true);
    body.end();
    const read = body.read(kind, type);
    expect(chunk.buffer.detached).toBe(isFreed);
    const result: unknown = await read;
    const native = await new Request("http://x/", {
      method: "POST",
      headers: { "content-type": type },
      body: sent,
    })[kind]();
    expect(result instanceof Blob ? await result.text() : result).toEqual(
      native instanceof Blob ? await native.text() : native,
    );
  });

  test.each([["text"], ["json"], ["bytes"], ["arrayBuffer"]] as const)(
    "%s leaves a chunk alone that somebody else refers to",
    async (kind) => {
      const chunk = new Uint8Array(20_000).fill(0x31);
      const [body] = create(16_384);
      body.push(chunk.subarray(0, 16_384));
      body.end();
      await body.read(kind, "");
      expect(chunk.every((byte) => byte === 0x31)).toBe(true);
      expect(chunk.byteLength).toBe(20_000);
    },
  );

  test("lets its source go on once all has come, read or not", () => {
    const [body, source] = create();
    body.push(new Uint8Array(highWaterBytes));
    body.end();
    expect(source.calls).toEqual(["pause", "resume"]);
  });

  test("resumes a source that was paused before", () => {
    const [body, source] = create();
    body.push(new Uint8Array(highWaterBytes));
    expect(source.calls).toEqual(["pause"]);
    void body.read("bytes", "");
    expect(source.calls).toEqual(["pause", "first read", "resume"]);
  });

  test.each([
    ["under way", false],
    ["begun later", true],
  ])("rejects a read %s when the client leaves", async (_name, late) => {
    const [body] = create(9);
    body.push(bytes("one"));
    const early = late ? null : body.read("text", "");
    body.fail(left);
    expect(body.used).toBe(!late);
    expect(await (early ?? body.read("text", "")).catch((error: unknown) => error)).toBe(left);
  });
});

describe("RequestBody.stream", () => {
  test("pauses the source at the mark, and resumes it once it has been read", async () => {
    const [body, source] = create();
    const reader = body.stream.getReader();
    const half = highWaterBytes / 2;
    body.push(new Uint8Array(half));
    expect(source.calls).toEqual(["first read"]);
    body.push(new Uint8Array(half));
    expect(source.calls).toEqual(["first read", "pause"]);
    await reader.read();
    expect(source.calls).toEqual(["first read", "pause"]);
    await reader.read();
    expect(source.calls).toEqual(["first read", "pause", "resume"]);
  });

  test("gives a waiting reader each chunk as it comes, uncopied, and then the end", async () => {
    const [body] = create();
    const reader = body.stream.getReader();
    const first = reader.read();
    const second = reader.read();
    const chunk = bytes("one");
    body.push(chunk);
    body.push(bytes("two"));
    const given = (await first).value;
    expect(given?.constructor).toBe(Uint8Array);
    expect(given?.buffer).toBe(chunk.buffer);
    expect(Buffer.from((await second).value ?? []).toString()).toBe("two");
    const last = reader.read();
    body.end();
    expect((await last).done).toBe(true);
    expect(body.complete).toBe(true);
  });

  test("gives what was buffered before it fails or ends", async () => {
    const [body] = create();
    body.push(bytes("one"));
    body.end();
    expect(body.complete).toBe(false);
    expect(await new Response(body.stream).text()).toBe("one");
    expect(body.complete).toBe(true);
  });

  test("fails when the client leaves", async () => {
    const [body] = create();
    const read = body.stream.getReader().read();
    body.fail(left);
    expect(await read.catch((error: unknown) => error)).toBe(left);
  });

  test("drops the rest after cancel(), without a pause", async () => {
    const [body, source] = create();
    body.push(new Uint8Array(highWaterBytes));
    await body.stream.cancel();
    body.push(new Uint8Array(highWaterBytes));
    body.end();
    expect(source.calls).toEqual(["pause", "first read", "resume"]);
    expect(body.used).toBe(true);
  });
});

describe("RequestBody.abandon()", () => {
  test("does nothing to a body that is kept", async () => {
    const [body] = create();
    body.keep();
    body.push(bytes("be"));
    body.abandon(left);
    body.push(bytes("hind"));
    body.end();
    expect(await body.read("text", "")).toBe("behind");
    expect(body.discarded).toBe(false);
  });

  test("drops what nobody has read, and refuses later readers", async () => {
    const [body, source] = create();
    body.push(new Uint8Array(highWaterBytes));
    body.abandon(left);
    body.push(new Uint8Array(highWaterBytes));
    expect(source.calls).toEqual(["pause", "resume"]);
    expect(await body.read("text", "").catch((error: unknown) => error)).toBe(left);
    expect(source.calls).toEqual(["pause", "resume"]);
  });

  test("also of a body that has arrived", async () => {
    const [body] = create();
    body.push(bytes("one"));
    body.end();
    body.abandon(left);
    expect(await body.read("text", "").catch((error: unknown) => error)).toBe(left);
  });

  test("fails a stream that is half read", async () => {
    const [body] = create();
    const reader = body.stream.getReader();
    body.push(bytes("one"));
    await reader.read();
    body.abandon(left);
    expect(await reader.read().catch((error: unknown) => error)).toBe(left);
  });

  test("lets a read of the whole finish", async () => {
    const [body] = create();
    const text = body.read("text", "");
    body.abandon(left);
    body.push(bytes("one"));
    body.end();
    expect(await text).toBe("one");
  });

  test("changes nothing for a body that has been read", async () => {
    const [body] = create();
    const text = body.read("text", "");
    body.push(bytes("one"));
    body.end();
    body.abandon(left);
    expect(await text).toBe("one");
  });
});

test("RequestBody.touched tells whether the app asked; a body that is all there needs no 100 Continue", () => {
  const [body, source] = create();
  body.push(bytes("one"));
  body.end();
  expect(body.touched).toBe(false);
  void body.read("text", "");
  expect(body.touched).toBe(true);
  expect(source.calls).toEqual([]);
});

const two = (body: RequestBody): void => {
  body.push(bytes("one"));
  body.push(bytes("two"));
};

/** What may be known of a body in each state; `used` as Request.bodyUsed. */
const states: readonly [
  claim: string,
  play: (body: RequestBody) => unknown,
  holds: readonly ("touched" | "used" | "discarded" | "ended" | "complete")[],
][] = [
  ["nothing has happened", () => {}, []],
  ["some has come", two, []],
  ["the app has the stream", (body) => body.stream, ["touched"]],
  ["the stream is locked", (body) => body.stream.getReader(), ["touched", "used"]],
  [
    "the stream was read and let go",
    async (body) => {
      two(body);
      const reader = body.stream.getReader();
      await reader.read();
      reader.releaseLock();
    },
    ["touched", "used"],
  ],
  ["the stream is cancelled", (body) => body.stream.cancel(), ["touched", "used", "discarded"]],
  ["the whole is wanted", (body) => void body.read("text", ""), ["touched", "used"]],
  ["a clone has the other half", (body) => void body.fork(), ["touched"]],
  [
    "both halves are cancelled",
    async (body) => {
      const other = body.fork() as ReadableStream;
      await Promise.all([other.cancel(), body.stream.cancel()]);
    },
    ["touched", "used", "discarded"],
  ],
  ["it has failed", (body) => body.fail(left), []],
  ["it was abandoned", (body) => body.abandon(left), ["discarded"]],
  [
    "it has failed, and was abandoned",
    (body) => {
      body.fail(left);
      body.abandon(left);
    },
    ["discarded"],
  ],
  [
    "it was abandoned with the stream in the app's hands",
    (body) => {
      void body.stream;
      body.abandon(left);
    },
    ["touched", "discarded"],
  ],
  ["it is empty", (body) => body.end(), ["ended", "complete"]],
  [
    "all has come",
    (body) => {
      two(body);
      body.end();
    },
    ["ended"],
  ],
  [
    "all has come, and was read",
    async (body) => {
      two(body);
      body.end();
      await body.read("text", "");
    },
    ["touched", "used", "ended", "complete"],
  ],
  [
    "all has come, a clone has it, and the app hasn't asked",
    (body) => {
      two(body);
      body.end();
      body.fork();
    },
    ["ended"],
  ],
  [
    "it has ended behind a cancelled stream",
    async (body) => {
      two(body);
      await body.stream.cancel();
      body.end();
    },
    ["touched", "used", "discarded", "ended", "complete"],
  ],
  [
    "all has come, and it was abandoned",
    (body) => {
      two(body);
      body.end();
      body.abandon(left);
    },
    ["discarded"],
  ],
];

test.each(states)("RequestBody, when %s", async (_claim, play, holds) => {
  const [body] = create();
  await play(body);
  const all = ["touched", "used", "discarded", "ended", "complete"] as const;
  expect(all.filter((name) => body[name])).toEqual(all.filter((name) => holds.includes(name)));
});

test.each([
  ["arriving", (body: RequestBody) => two(body), "onetwo-end"],
  ["that has arrived", (body: RequestBody) => (two(body), body.end()), "onetwo"],
] as const)("RequestBody.fork() gives a body %s to both", async (_claim, play, expected) => {
  const [body] = create();
  play(body);
  const given = body.fork();
  const texts = [new Response(given as Bun.BodyInit).text(), body.read("text", "")];
  if (!body.ended) body.push(bytes("-end"));
  body.end();
  expect(await Promise.all(texts)).toEqual([expected, expected]);
  expect(body.used).toBe(true);
  expect(body.fork()).toBeUndefined();
});

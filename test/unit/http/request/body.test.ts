import { describe, expect, test } from "bun:test";
import { highWaterBytes, RequestBody } from "../../../../src/http/request/body.ts";

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

import { describe, expect, test } from "bun:test";
import { bodyOf, copyOf } from "../../../../../src/app/node/handles/chunk.ts";

describe("the body that a listener has written in one piece", () => {
  const long = "a".repeat(1025);
  const rows: [
    claim: string,
    chunk: unknown,
    encoding: string | null | undefined,
    body: unknown,
  ][] = [
    ["a text", "é", undefined, "é"],
    ["a text in UTF-8", "é", "utf8", "é"],
    ["a text in UTF-8, as fastify says it", "é", null, "é"],
    ["a text in another encoding", "é", "latin1", Buffer.from([0xe9])],
    ["a text of hexadecimal digits", "6869", "hex", Buffer.from("hi")],
    ["short bytes in ASCII", Buffer.from("hi"), undefined, "hi"],
    ["short bytes with a NUL", Buffer.from("h\0i"), undefined, "h\0i"],
    ["the last byte of ASCII", Buffer.from([0x7f]), undefined, "\x7f"],
    ["the first byte above ASCII", Buffer.from([0x80]), undefined, Buffer.from([0x80])],
    ["short bytes in UTF-8", Buffer.from("é"), undefined, Buffer.from("é")],
    ["a part of a buffer", Buffer.from("xhiy").subarray(1, 3), undefined, "hi"],
    ["many bytes", Buffer.from(long), undefined, Buffer.from(long)],
    ["a view of something else", new Uint16Array([0x6968]), undefined, Buffer.from("hi")],
    ["an ArrayBuffer", new Uint8Array([104, 105]).buffer, undefined, Buffer.from("hi")],
  ];

  test.each(rows)("%s", (_claim, chunk, encoding, body) => {
    const made = bodyOf(chunk, encoding as BufferEncoding);
    expect(typeof made === "string" ? made : Buffer.from(made)).toEqual(body as never);
  });

  test.each([1, 1024, 1025])("%d bytes don't change with the listener's buffer", (length) => {
    const chunk = Buffer.alloc(length, "a");
    const made = bodyOf(chunk, undefined);
    chunk.fill("b");
    expect(Buffer.from(made as string).toString()).toBe("a".repeat(length));
  });

  test.each([[5], [true], [{}], [[[]]]])("%p is refused", (chunk) => {
    expect(() => bodyOf(chunk, undefined)).toThrow('The "chunk" argument must be of type');
    expect(() => copyOf(chunk, undefined)).toThrow('The "chunk" argument must be of type');
  });
});

import { describe, expect, test } from "bun:test";
import { newContext } from "../../../../../src/http/response/head/head.ts";
import { OutputBuffer } from "../../../../../src/http/response/output.ts";
import { prepareResponse } from "../../../../../src/http/response/response.ts";
import { StreamPump } from "../../../../../src/http/response/stream-pump.ts";
import {
  giveTrailers,
  Trailers,
  trailersOf,
} from "../../../../../src/http/response/head/trailers.ts";

describe("Trailers.add()", () => {
  test.each([
    ["X-Sum", "42", "X-Sum: 42\r\n"],
    ["X-Empty", "", "X-Empty: \r\n"],
    ["X-Latin", "\xe9", "X-Latin: \xe9\r\n"],
    ["Content-Length", "5", ""],
    ["tRANSFER-eNCODING", "chunked", ""],
    ["Authorization", "x", ""],
    ["Trailer", "X-Sum", ""],
  ])("%s: %s", (name, value, lines) => {
    const trailers = new Trailers();
    trailers.add(name, value);
    expect(trailers.lines).toBe(lines);
  });

  test.each([
    ["X-Sum", "4\r\nX-Other: 2"],
    ["X-Sum", "4\n2"],
    ["X-Sum", "4\r2"],
    ["X-Sum", "4\x002"],
    ["X-Sum", "\u20ac"],
    ["X-Sum: 1\r\nX-Other", "2"],
    ["X Sum", "2"],
    ["", "2"],
  ])("refuses %j: %j", (name, value) => {
    const trailers = new Trailers();
    expect(() => trailers.add(name, value)).toThrow(TypeError);
    expect(trailers.lines).toBe("");
  });
});

test("a stream has those that it was given, and no other has any", () => {
  const stream = new ReadableStream();
  const trailers = giveTrailers(stream);
  expect(trailersOf(stream)).toBe(trailers);
  expect(trailersOf(new ReadableStream())).toBeNull();
});

/** What is written of an answer with a Trailer field, and a stream that adds one before its end. */
async function written(
  fields: Record<string, string>,
  versionMinor: number,
  has = true,
): Promise<string> {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from("body"));
      controller.close();
    },
  });
  if (has) giveTrailers(stream).add("X-Sum", "42");
  const response = new Response(stream, { headers: { Trailer: "X-Sum", ...fields } });
  const prepared = prepareResponse(response, { ...newContext(), versionMinor });
  if (prepared.type !== "stream") throw new Error(prepared.type);
  const output = new OutputBuffer();
  const { promise, resolve } = Promise.withResolvers<unknown>();
  new StreamPump(prepared, prepared.body as ReadableStream, {
    output,
    flush: () => true,
    pumpEnded: resolve,
  }).start();
  await promise;
  let text = "";
  output.writeTo({
    write(data) {
      text += Buffer.from(data).toString("latin1");
      return data.length;
    },
  });
  return text.slice(text.indexOf("Date: ")).replace(/^.*\r\n/, "");
}

test.each([
  [
    "chunks",
    {},
    1,
    true,
    "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 42\r\n\r\n",
  ],
  [
    "chunks of a stream without",
    {},
    1,
    false,
    "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
  ],
  ["a stated length", { "Content-Length": "4" }, 1, true, "Content-Length: 4\r\n\r\nbody"],
  ["the end of the connection", {}, 0, true, "Connection: close\r\n\r\nbody"],
] as const)("trailers and %s", async (_claim, fields, versionMinor, has, expected) => {
  expect(await written(fields, versionMinor, has)).toBe(expected);
});

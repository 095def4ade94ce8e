import { expect, test } from "bun:test";
import { ChunkedDecoder } from "../../../../src/http/syntax/chunked.ts";
import { defaultLimits } from "../../../support/corpus.ts";

/** All data ranges of one feed loop, as they were handed out. */
function decode(decoder: ChunkedDecoder, text: string): { step: string; data: string[] } {
  const bytes = Buffer.from(text, "latin1");
  const data: string[] = [];
  for (let at = 0; ;) {
    const step = decoder.feed(bytes, at, bytes.length);
    at = decoder.consumed;
    if (step !== "data") return { step, data };
    data.push(bytes.toString("latin1", decoder.dataStart, decoder.dataEnd));
  }
}

test("feed() hands out each chunk as a range of the fed bytes", () => {
  const decoder = new ChunkedDecoder(defaultLimits);
  expect(decode(decoder, "1\r\na\r\n2\r\nbc\r\n0\r\n\r\nGET")).toEqual({
    step: "end",
    data: ["a", "bc"],
  });
  expect(decoder.consumed).toBe("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n".length);
});

test("feed() hands out what has arrived of a chunk, and never an empty range", () => {
  const decoder = new ChunkedDecoder(defaultLimits);
  expect(decode(decoder, "5\r\n")).toEqual({ step: "need more", data: [] });
  expect(decode(decoder, "he")).toEqual({ step: "need more", data: ["he"] });
  expect(decode(decoder, "llo")).toEqual({ step: "need more", data: ["llo"] });
  expect(decode(decoder, "\r\n0\r\n\r\n")).toEqual({ step: "end", data: [] });
});

test("feed() repeats its error", () => {
  const decoder = new ChunkedDecoder(defaultLimits);
  expect(decode(decoder, "x").step).toBe("bad chunk size");
  expect(decode(decoder, "0\r\n\r\n").step).toBe("bad chunk size");
});

test("extension bytes are forgiven as data arrives, so that a long stream may carry them", () => {
  const decoder = new ChunkedDecoder(defaultLimits);
  const chunk = `400;${"x".repeat(900)}\r\n${"d".repeat(1024)}\r\n`;
  for (let round = 0; round < 100; round++)
    expect(decode(decoder, chunk)).toEqual({ step: "need more", data: ["d".repeat(1024)] });
});

test("trailers are null without a trailer section", () => {
  const decoder = new ChunkedDecoder(defaultLimits);
  decode(decoder, "0\r\n\r\n");
  expect(decoder.trailers).toBeNull();
});

import { describe, expect, test } from "bun:test";
import {
  frame,
  readContentLength,
  readTransferCoding,
  type TransferCoding,
} from "../../../../src/http/message/framing.ts";

const rows = [
  ["neither length nor coding", 1, -1, "none", "none"],
  ["neither, on 1.0", 0, -1, "none", "none"],
  ["length 0", 1, 0, "none", "none"],
  ["a length", 1, 5, "none", "length"],
  ["a length on 1.0", 0, 5, "none", "length"],
  ["chunked", 1, -1, "chunked", "chunked"],
  ["chunked on 1.0", 0, -1, "chunked", "transfer-encoding on http/1.0"],
  ["unknown coding on 1.0", 0, -1, "unsupported", "transfer-encoding on http/1.0"],
  ["chunked with a length, on 1.0", 0, 5, "chunked", "transfer-encoding on http/1.0"],
  ["chunked with a length", 1, 5, "chunked", "content-length with transfer-encoding"],
  ["chunked with length 0", 1, 0, "chunked", "content-length with transfer-encoding"],
  ["unknown coding with a length", 1, 5, "unsupported", "content-length with transfer-encoding"],
  ["bad list with a length", 1, 5, "bad", "content-length with transfer-encoding"],
  ["bad list", 1, -1, "bad", "bad transfer-encoding"],
  ["known codings without chunked", 1, -1, "compressed", "bad transfer-encoding"],
  ["unknown coding", 1, -1, "unsupported", "unsupported transfer-encoding"],
] as const;

test.each(rows)("frame(): %s", (_, versionMinor, contentLength, transferCoding, expected) => {
  expect(frame({ versionMinor, contentLength, transferCoding })).toBe(expected);
});

describe("readTransferCoding()", () => {
  const lists: readonly (readonly [readonly string[], TransferCoding])[] = [
    [["chunked"], "chunked"],
    [["CHUNKED"], "chunked"],
    [["gzip"], "compressed"],
    [["gzip, deflate"], "compressed"],
    [["gzip, chunked"], "unsupported"],
    [["gzip", "chunked"], "unsupported"],
    [["chunked, chunked"], "bad"],
    [["chunked", "chunked"], "bad"],
    [["chunked, gzip"], "bad"],
    [["chunked, gzip, foo"], "bad"],
    [["chunked, foo"], "unsupported"],
    [["foo", "chunked, chunked"], "unsupported"],
    [[""], "bad"],
    [["", "chunked"], "bad"],
    [["chunked,"], "bad"],
    [["chunked\xa0"], "unsupported"],
  ];
  test.each(lists)("%p is %s", (values, expected) => {
    let coding: TransferCoding = "none";
    for (const value of values) {
      const bytes = Buffer.from(value, "latin1");
      coding = readTransferCoding(coding, bytes, 0, bytes.length);
    }
    expect(coding).toBe(expected);
  });
});

test.each([
  ["0", 0],
  ["007", 7],
  ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ["9007199254740992", -1],
  ["9007199254740993", -1],
  ["90071992547409910", -1],
  ["9".repeat(1000), -1],
  ["", -1],
  ["+1", -1],
  ["1 ", -1],
  ["1,1", -1],
])("readContentLength(%p) is %p", (value, expected) => {
  const bytes = Buffer.from(value, "latin1");
  expect(readContentLength(bytes, 0, bytes.length)).toBe(expected);
});

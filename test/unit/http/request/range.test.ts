import { describe, expect, test } from "bun:test";
import { RequestParser } from "../../../../src/http/syntax/parser.ts";
import { askedRange, selectRange } from "../../../../src/http/request/range.ts";
import { dispositionLine } from "../../../../src/http/response/head/disposition.ts";
import { defaultLimits } from "../../../support/corpus.ts";

const all = null;
const from = (start: number, length: number) => ({ start, length });

/** test/wire/response-suite.test.ts has more values, beside Bun.serve. */
test.each([
  ["bytes=0-0", 13, from(0, 1)],
  ["bytes=2-5", 13, from(2, 4)],
  ["bytes=2-", 13, from(2, 11)],
  ["bytes=-4", 13, from(9, 4)],
  ["bytes=-100", 13, from(0, 13)],
  ["bytes=12-99999999999999999999", 13, from(12, 1)],
  ["bytes=13-", 13, "unsatisfiable"],
  ["bytes=99999999999999999999-", 13, "unsatisfiable"],
  ["bytes=-0", 13, "unsatisfiable"],
  ["bytes=0-", 0, "unsatisfiable"],
  ["bytes=-1", 0, all],
  ["bytes=5-2", 13, all],
  ["bytes=0-1,3-4", 13, all],
  ["bytes=-", 13, all],
  ["bytes=\u0661-", 13, all],
  ["lines=0-0", 13, all],
  ["", 13, all],
] as const)("selectRange(%p, %p) is %p", (value, sizeBytes, expected) => {
  expect(selectRange(value, sizeBytes)).toEqual(expected);
});

describe("askedRange()", () => {
  const lastModified = "Sat, 01 Jan 2000 00:00:00 GMT";
  const changedMs = Date.parse(lastModified);
  const range = "Range: bytes=2-5";

  test.each([
    ["GET", [range], {}, "bytes=2-5"],
    ["GET", [], {}, null],
    ["HEAD", [range], {}, null],
    ["POST", [range], {}, null],
    ["QUERY", [range], {}, null],
    ["GET", [range, "RANGE: bytes=6-"], {}, "bytes=2-5,bytes=6-"],
    ["GET", [range], { "accept-ranges": "None" }, null],
    ["GET", [range], { "accept-ranges": "bytes" }, "bytes=2-5"],
    ["GET", [range, 'If-Range: "x"'], { etag: '"x"' }, "bytes=2-5"],
    ["GET", [range, 'If-Range: W/"x"'], { etag: 'W/"x"' }, null],
    ["GET", [range, 'If-Range: "x"'], { etag: 'W/"x"' }, null],
    ["GET", [range, 'If-Range: "x"'], {}, null],
    ["GET", [range, 'If-Range: "x"', 'If-Range: "x"'], { etag: '"x"' }, null],
    ["GET", [range, `If-Range: ${lastModified}`], { "last-modified": lastModified }, "bytes=2-5"],
    ["GET", [range, `If-Range: ${lastModified}`], {}, null],
    ["GET", [range, "If-Range: soon"], { "last-modified": "soon" }, null],
  ] as const)("%s with %p, of an answer with %p, is %p", (method, lines, fields, expected) => {
    expect(asked(method, lines, fields, changedMs + 1000)).toBe(expected);
  });

  test("a date holds once its second is over, since a file may change twice within it", () => {
    const lines = [range, `If-Range: ${lastModified}`];
    const fields = { "last-modified": lastModified };
    expect(asked("GET", lines, fields, changedMs + 999)).toBeNull();
    expect(asked("GET", lines, fields, changedMs + 1000)).toBe("bytes=2-5");
  });

  function asked(method: string, lines: readonly string[], fields: object, nowMs: number) {
    const parser = new RequestParser(defaultLimits, {});
    const text = [`${method} / HTTP/1.1`, "Host: a", ...lines, "", ""].join("\r\n");
    const bytes = Buffer.from(text);
    expect(parser.feed(bytes, 0, bytes.length)).toBe("head");
    return askedRange(parser.head, new Headers(fields as Record<string, string>), nowMs);
  }
});

test.each([
  ["/srv/large.bin", 'filename="large.bin"'],
  ["large", 'filename="large"'],
  ["/srv/a b; c.bin", 'filename="a b; c.bin"'],
  ['/srv/a"b.bin', "filename*=UTF-8''a%22b.bin"],
  ["/srv/a\\b.bin", "filename*=UTF-8''a%5Cb.bin"],
  ["/srv/50%25.bin", "filename*=UTF-8''50%2525.bin"],
  ["/srv/k\u00e4se (1)'*.bin", "filename*=UTF-8''k%C3%A4se%20%281%29%27%2A.bin"],
  ["/srv/a\r\nSet-Cookie: b.bin", "filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b.bin"],
  ["/srv/\ud800.bin", "filename*=UTF-8''%EF%BF%BD.bin"],
])("dispositionLine(%p) says %s", (path, expected) => {
  expect(dispositionLine(path)).toBe(`content-disposition: inline; ${expected}\r\n`);
});

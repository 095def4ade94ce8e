import { describe, expect, test } from "bun:test";
import {
  type AppFields,
  isOfConnection,
  noFields,
  readAppFields,
  readFlatFields,
} from "../../../../../src/http/response/head/app-fields.ts";

/** Of nothing but `lines`. */
const plain = { ...noFields };

const rows: [claim: string, flat: string[], fields: Partial<AppFields>][] = [
  ["none", [], {}],
  ["a name in its own case", ["X-A", "b"], { lines: "X-A: b\r\n" }],
  ["the same name twice", ["a", "1", "a", "2"], { lines: "a: 1\r\na: 2\r\n" }],
  ["Content-Type", ["CONTENT-type", "a/b"], { lines: "CONTENT-type: a/b\r\n", contentType: true }],
  ["Content-Length", ["Content-Length", "5"], { contentLength: "5" }],
  ["Trailer, twice", ["Trailer", "a", "trailer", "b"], { trailer: "a, b" }],
  ["what ends the connection", ["Connection", "x, Close"], { close: true }],
  ["what doesn't", ["Connection", "closed, keep-alive"], {}],
  ["what is the connection's", ["TE", "x", "Upgrade", "y", "Keep-Alive", "z"], {}],
  ["Date", ["date", "x"], { lines: "date: x\r\n", date: true }],
  ["Server", ["Server", "x"], { lines: "Server: x\r\n", server: true }],
  ["a value that isn't ASCII", ["a", "é"], { lines: "a: é\r\n", ascii: false }],
  ["a name that objects have", ["constructor", "x"], { lines: "constructor: x\r\n" }],
  ["another one", ["__proto__", "x"], { lines: "__proto__: x\r\n" }],
];

describe("fields of an app", () => {
  test.each(rows)("%s", (_claim, flat, fields) => {
    expect(readFlatFields(flat)).toEqual({ ...plain, ...fields });
    // What has been read before is known by all its texts.
    expect(readFlatFields([...flat])).toEqual({ ...plain, ...fields });
    expect(readFlatFields([...flat, "other", "1"]).lines).toBe(`${fields.lines ?? ""}other: 1\r\n`);
    expect(readFlatFields(flat)).toEqual({ ...plain, ...fields });
  });

  test("a list that differs in one text is another list", () => {
    const list = ["a", "1", "b", "2", "c", "3"];
    for (let at = 0; at < list.length; at += 1) {
      readFlatFields(list);
      const other = list.with(at, "x");
      const [one, two, three, four, five, six] = other;
      expect(readFlatFields(other).lines).toBe(
        `${one}: ${two}\r\n${three}: ${four}\r\n${five}: ${six}\r\n`,
      );
    }
  });

  test("names beyond those that are kept are read as well", () => {
    for (let n = 0; n < 600; n += 1) {
      expect(readFlatFields([`X-${n}`, "v", "Content-LENGTH", String(n)])).toEqual({
        ...plain,
        lines: `X-${n}: v\r\n`,
        contentLength: String(n),
      });
    }
  });

  test("of Headers", () => {
    const headers = new Headers([
      ["Set-Cookie", "a"],
      ["Set-Cookie", "b"],
      ["Connection", "close"],
    ]);
    const lines = "set-cookie: a\r\nset-cookie: b\r\n";
    expect(readAppFields(headers)).toEqual({ ...plain, lines, close: true });
  });
});

test.each([
  ["Keep-Alive", true],
  ["connection", true],
  ["upgrade", true],
  ["content-length", false],
  ["x", false],
])("%s describes the connection: %p", (name, is) => {
  expect(isOfConnection(name)).toBe(is);
});

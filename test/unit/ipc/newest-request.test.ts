import { describe, expect, test } from "bun:test";
import { Head } from "../../../src/http/syntax/head.ts";
import {
  closeLine,
  lineStart,
  longestLine,
  openLine,
  readNewest,
  writeLine,
} from "../../../src/ipc/newest-request.ts";
import { createRow } from "../../../src/ipc/scoreboard.ts";

function headOf(method: string, target: string): Head {
  const before = Buffer.from("bytes of another request");
  const line = Buffer.from(`${method} ${target} HTTP/1.1\r\n\r\n`, "latin1");
  const head = new Head();
  head.method = method;
  head.methodEnd = method.length;
  head.targetEnd = method.length + 1 + target.length;
  head.complete(Buffer.concat([before, line]), before.length, before.length + line.length);
  return head;
}

/** Each way to write a request to a row whose last one was longer. */
const ways: [way: string, write: (row: Buffer, method: string, target: string) => number][] = [
  ["texts", (row, method, target) => writeLine(row, { method, target })],
  [
    "a head's bytes",
    (row, method, target) => headOf(method, target).copyLine(row, lineStart, longestLine(row)),
  ],
  [
    "a head's text",
    (row, method, target) => {
      const head = headOf(method, target);
      head.detach();
      return head.copyLine(row, lineStart, longestLine(row));
    },
  ],
];

const letters = (count: number) => "x".repeat(count);
const rows: [what: string, method: string, target: string, path: string][] = [
  ["a path", "GET", "/", "/"],
  ["a query", "POST", "/a/b?token=secret", "/a/b"],
  ["an empty query", "GET", "/a?", "/a"],
  ["an asterisk", "OPTIONS", "*", "*"],
  ["the authority of CONNECT", "CONNECT", "example.com:443", "example.com:443"],
  ["the absolute form", "GET", "http://user:password@example.com/a?b", "/a"],
  ["the absolute form without a path", "GET", "http://example.com", "/"],
  ["an address in a path", "GET", "/http://example.com/", "/http://example.com/"],
  ["bytes beyond ASCII", "GET", "/caf\xe9\xff", "/caf\xe9\xff"],
  ["100 bytes", "GET", `/${letters(99)}`, `/${letters(99)}`],
  ["101 bytes", "GET", `/${letters(100)}`, `/${letters(99)}...`],
  ["more than there is room for", "GET", `/${letters(8000)}`, `/${letters(99)}...`],
  ["a long query", "GET", `/a?${letters(8000)}`, "/a"],
  ["a long method", letters(40), `/${letters(99)}`, `/${letters(84)}...`],
];

describe.each(ways)("%s", (_, write) => {
  test.each(rows)("carry %s", (_what, method, target, path) => {
    const { newest } = createRow();
    openLine(newest, write(newest, "DELETE", `/before/${letters(200)}`));
    openLine(newest, write(newest, method, target));
    expect(readNewest(newest)).toEqual({ method, path, open: true });
    closeLine(newest);
    expect(readNewest(newest)).toEqual({ method, path, open: false });
  });
});

test("a method that fills the line leaves no path, and stays in the column", () => {
  const { newest } = createRow();
  openLine(newest, writeLine(newest, { method: letters(500), target: "/" }));
  expect(readNewest(newest)).toEqual({
    method: letters(longestLine(newest)),
    path: "...",
    open: true,
  });
});

test("before the first request there is none", () => {
  expect(readNewest(createRow().newest)).toBeNull();
});

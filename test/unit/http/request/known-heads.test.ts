/**
 * Heads that came before: what is known is the very same head; test/unit/http/message/fuzz.test.ts proves that it says
 * the same.
 */
import { expect, test } from "bun:test";
import { headsByTrust, MessageReader } from "../../../../src/http/request/message-reader.ts";
import type { Head } from "../../../../src/http/syntax/head.ts";
import { head as browserHead } from "../../../../bench/engine/browser-head.ts";
import { defaultLimits } from "../../../support/corpus.ts";

const post = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n";
const usual = "GET /a?b HTTP/1.1\r\nHost: x\r\nCookie: c=d\r\n\r\n";

interface Read {
  readonly heads: Head[];
  readonly step: string;
}

/** Reads each piece on a connection of its own. */
function readAll(pieces: readonly string[], heads = headsByTrust(), trusted = false): Read {
  const found: Head[] = [];
  let step = "";
  for (const text of pieces) {
    const reader = new MessageReader(defaultLimits, {}, 100, heads);
    reader.trusted = trusted;
    const bytes = Buffer.from(text, "latin1");
    for (let at = 0; at < bytes.length; at = reader.consumed) {
      step = reader.read(bytes, at, bytes.length);
      if (step === "head") found.push(reader.head);
      else if (step !== "end") break;
    }
    for (const head of found) head.detach();
    // What is known isn't in received bytes, which are somebody else's by now.
    bytes.fill("*");
  }
  return { heads: found, step };
}

function facts(head: Head): unknown[] {
  const { method, target, authority, versionMinor, fieldCount, text } = head;
  const fields = Array.from({ length: fieldCount }, (_, at) => [
    head.fieldName(at),
    head.fieldValue(at),
  ]);
  return [method, target, authority, versionMinor, text, fields];
}

test("only what comes again has notes, and each its own", () => {
  const [first, second, third] = readAll([usual, usual, usual]).heads;
  const [, other] = readAll(Array(2).fill(usual.replace("c=d", "e=f"))).heads;
  expect([first?.notes, second?.notes, third?.notes]).toEqual([null, [], []]);
  third?.notes?.push("x");
  expect([second?.notes, other?.notes]).toEqual([["x"], []]);
});

/** A head of so many bytes. */
function long(bytes: number): string {
  const start = "GET / HTTP/1.1\r\nHost: x\r\nA: ";
  return `${start}${"b".repeat(bytes - start.length - 4)}\r\n\r\n`;
}

test("one of 100 fields says what it said at first", () => {
  const fields = Array.from({ length: 99 }, (_, at) => `X-Field-${at}: ${"v".repeat(at)}\r\n`);
  const text = `GET /a?b HTTP/1.1\r\nHost: x\r\n${fields.join("")}\r\n`;
  const [first, second, third, fourth] = readAll([text, text, text, text]).heads;
  expect([third === second, fourth === second]).toEqual([true, true]);
  expect(facts(fourth!)).toEqual(facts(first!));
});

const rows: [claim: string, pieces: string[], known: boolean[]][] = [
  ["a head is kept the second time", [usual, usual, usual, usual], [false, true, true]],
  ["so is a browser's", Array(3).fill(browserHead.toString("latin1")), [false, true]],
  [
    "also when others come between",
    [usual, "GET /", "GET / HTTP/1.1\r\nHost: yy\r\n\r\n", usual, usual],
    [false, false, true],
  ],
  ["pipelined heads are known", [usual, usual, usual + usual + usual], [false, true, true, true]],
  [
    "so are those that were kept of a pipeline",
    [usual + usual, usual, usual, usual],
    [false, true, true, true],
  ],
  ["a head in pieces isn't", [usual, usual, usual.slice(0, 9), usual.slice(9)], [false]],
  [
    "a head behind an empty line is another one",
    [usual, usual, `\r\n${usual}`, usual],
    [false, false, true],
  ],
  [
    "a head with a body isn't kept",
    Array(4).fill("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nb"),
    [false, false, false],
  ],
  [
    "but that of a POST is, with its body behind it",
    Array(4).fill(`${post}${"b".repeat(20)}`),
    [false, true, true],
  ],
  [
    "also when the bodies differ, or come in pieces of their own",
    [`${post}${"b".repeat(20)}`, `${post}${"c".repeat(20)}`, post, `${post}${"d".repeat(3)}`],
    [false, true, true],
  ],
  ["pipelined, too", Array(2).fill(`${post}${"b".repeat(20)}`.repeat(2)), [false, true, true]],
  [
    "one at a time, beside those without a body",
    [post, post, usual, usual, post, usual, post.replace("x", "y"), post, post],
    [false, false, false, true, true, false, false, false],
  ],
  [
    "no POST that wants to hear 100 Continue is",
    Array(4).fill(post.replace("\r\n", "\r\nExpect: 100-continue\r\n")),
    [false, false, false],
  ],
  [
    "nor one with chunks, nor without a body",
    [
      ...Array(3).fill("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      ...Array(3).fill("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
    ],
    [false, false, false, false, false],
  ],
  [
    "nor another method",
    Array(4).fill("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"),
    [false, false, false],
  ],
  [
    "a long one is, beside a usual one and others that are long",
    [long(4000), usual, usual, long(4001), long(4000), long(4002), long(4003), usual, long(4000)],
    [false, false, false, false, false, false, true, true],
  ],
  ["a very long one isn't", Array(4).fill(long(8193)), [false, false, false]],
];

test.each(rows)("%s", (_claim, pieces, known) => {
  const { heads } = readAll(pieces);
  expect(heads.slice(1).map((head, at) => heads.indexOf(head) <= at)).toEqual(known);
  for (const head of heads) expect(facts(head)).toEqual(facts(readAll([head.text]).heads[0]!));
});

test("a head that differs in one byte is another one, wherever that is", () => {
  const heads = headsByTrust();
  const [, , head] = readAll([usual, usual, usual], heads).heads;
  for (let at = 0; at < usual.length; at += 1) {
    for (const letter of ["z", "\r", "\n", " ", ":", "\0"]) {
      const other = usual.slice(0, at) + letter + usual.slice(at + 1);
      if (other === usual) continue;
      const fresh = readAll([other]);
      for (const read of [readAll([other], heads), readAll([other + other], heads)]) {
        expect(read.heads).not.toContain(head!);
        expect(read.step).toBe(fresh.step);
        if (fresh.heads.length > 0) expect(facts(read.heads[0]!)).toEqual(facts(fresh.heads[0]!));
      }
    }
    expect(readAll([usual], heads).heads.map(facts)).toEqual([facts(head!)]);
  }
});

test("a head with a body that differs in one byte is another one, wherever that is", () => {
  const heads = headsByTrust();
  for (let at = 0; at < post.length; at += 1) {
    for (const letter of ["z", "1", "\r", "\n", " ", ":", "\0"]) {
      const other = post.slice(0, at) + letter + post.slice(at + 1);
      if (other === post) continue;
      const head = readAll([post, post, post], heads).heads.at(-1)!;
      const [read, fresh] = [readAll([other], heads), readAll([other])];
      expect(read.heads).not.toContain(head);
      expect(read.step).toBe(fresh.step);
      expect(read.heads.map(facts)).toEqual(fresh.heads.map(facts));
    }
  }
});

test("what is known of trusted peers isn't of others", () => {
  const text = "GET / HTTP/1.1\r\nHost: x\r\nSCRIPT_NAME: /a\r\n\r\n";
  const heads = headsByTrust();
  const options = { forwarderHeaders: ["SCRIPT_NAME"] };
  const counts = [true, true, true, false, false, false, true].map((trusted) => {
    const reader = new MessageReader(defaultLimits, options, 100, heads);
    reader.trusted = trusted;
    const bytes = Buffer.from(text);
    expect(reader.read(bytes, 0, bytes.length)).toBe("head");
    return reader.head.fieldCount;
  });
  expect(counts).toEqual([2, 2, 2, 1, 1, 1, 2]);
});

test("where each head is another one, one that comes again is found all the same", () => {
  const heads = headsByTrust();
  for (let n = 0; n < 1000; n += 1)
    readAll([`GET /${n} HTTP/1.1\r\nHost: x\r\nA: ${"b".repeat(n % 40)}\r\n\r\n`], heads);
  const { heads: found } = readAll(Array(100).fill(usual), heads);
  expect(found[99]).toBe(found[98]!);
  for (const head of found) expect(facts(head)).toEqual(facts(found[0]!));
});

test("beside one that is known, another is found, however many came before", () => {
  const heads = headsByTrust();
  readAll([usual, usual], heads);
  for (let n = 0; n < 100; n += 1) readAll([`GET /${n} HTTP/1.1\r\nHost: x\r\n\r\n`, usual], heads);
  const other = "GET /b HTTP/1.1\r\nHost: x\r\n\r\n";
  const { heads: found } = readAll(
    Array.from({ length: 128 }, (_, n) => (n % 2 ? usual : other)),
    heads,
  );
  expect(found.at(-2)).toBe(found.at(-4)!);
});

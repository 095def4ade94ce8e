import { describe, expect, test } from "bun:test";
import { RequestParser } from "../../../../src/http/syntax/parser.ts";
import type { Head } from "../../../../src/http/syntax/head.ts";
import { createRequest } from "../../../../src/http/request/request.ts";
import { defaultLimits, readCorpus, run, type Case } from "../../../support/corpus.ts";

const simple = Buffer.from("GET /a HTTP/1.1\r\nHost: a\r\nX-Y: z\r\n\r\n");

/** A head of about `size` bytes: many fields, then one long one. */
function largeHead(size: number): Buffer {
  const fields = "Some-Field: some value \t\r\n".repeat(size / 100);
  const start = `GET /${"p".repeat(size / 4)} HTTP/1.1\r\nHost: a\r\n${fields}Long: `;
  return Buffer.from(`${start}${"v".repeat(size - start.length - 4)}\r\n\r\n`);
}

function stepsByteByByte(bytes: Buffer): number {
  const parser = new RequestParser({ requestLine: Infinity, fields: 32_768, fieldSize: Infinity });
  for (let at = 0; at < bytes.length; at++) {
    const step = parser.feed(bytes, at, at + 1);
    expect(step).toBe(at === bytes.length - 1 ? "head" : "need more");
  }
  return parser.scanned;
}

describe("cost", () => {
  test("a head sent byte by byte costs steps in proportion to its length", () => {
    const sizes = [256, 512, 1024].map((size) => size * 1024);
    const steps = sizes.map((size) => stepsByteByByte(largeHead(size)));
    for (const [index, size] of sizes.entries()) {
      // Each byte: scanned once, copied once, and once more on average when the buffer doubles.
      expect(steps[index]!).toBeLessThanOrEqual(4.2 * size);
      expect(steps[index]!).toBeGreaterThanOrEqual(size);
    }
    expect(steps[1]! / steps[0]!).toBeLessThan(2.2);
    expect(steps[2]! / steps[1]!).toBeLessThan(2.2);
  });

  test("a head in one piece is scanned once and not copied", () => {
    const parser = new RequestParser(defaultLimits);
    parser.feed(simple, 0, simple.length);
    // The values of Host and its like are read a second time, by who acts on them.
    expect(parser.scanned).toBeLessThanOrEqual(simple.length + "a".length);
  });

  test.each([1000, 2000])("%d pipelined requests in one segment cost their length", (count) => {
    const bytes = Buffer.concat(Array.from({ length: count }, () => simple));
    const outcome = run(bytes, []);
    expect(outcome.requests.length).toBe(count);
    expect(outcome.scanned).toBeLessThanOrEqual(bytes.length * 1.1);
  });

  test("pipelined requests behind a head in pieces aren't copied with it", () => {
    const bytes = Buffer.concat(Array.from({ length: 1000 }, () => simple));
    const outcome = run(bytes, [10]);
    expect(outcome.requests.length).toBe(1000);
    expect(outcome.scanned).toBeLessThanOrEqual(bytes.length * 1.1 + 2 * 4096);
  });

  test("every cut of a pipeline costs its length", () => {
    const bytes = Buffer.concat(Array.from({ length: 200 }, () => simple));
    const cuts = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
    const outcome = run(bytes, cuts);
    expect(outcome.requests.length).toBe(200);
    expect(outcome.scanned).toBeLessThanOrEqual(bytes.length * 3);
  });
});

describe("RequestParser", () => {
  test("feed() reads only its range", () => {
    const parser = new RequestParser(defaultLimits);
    const padded = Buffer.concat([Buffer.from("\0\0\0"), simple, Buffer.from("\0\0")]);
    expect(parser.feed(padded, 3, padded.length)).toBe("head");
    expect(parser.consumed).toBe(3 + simple.length);
    expect(parser.head.target).toBe("/a");
    expect(parser.head.text).toBe(simple.toString());
  });

  test("idle is true until the first byte of a request line", () => {
    const parser = new RequestParser(defaultLimits);
    expect(parser.idle).toBe(true);
    parser.feed(Buffer.from("\r\n"), 0, 2);
    expect(parser.idle).toBe(true);
    parser.feed(simple, 0, 1);
    expect(parser.idle).toBe(false);
    parser.feed(simple, 1, simple.length);
    parser.reset();
    expect(parser.idle).toBe(true);
  });

  test("a taken head survives reset() and the next request", () => {
    const parser = new RequestParser(defaultLimits);
    parser.feed(simple, 0, simple.length);
    const head = parser.takeHead();
    parser.reset();
    const other = Buffer.from("POST /other HTTP/1.0\r\nContent-Length: 3\r\n\r\n");
    expect(parser.feed(other, 0, other.length)).toBe("head");
    expect([head.method, head.target, head.versionMinor, head.contentLength]).toEqual([
      "GET",
      "/a",
      1,
      -1,
    ]);
    expect([head.fieldName(1), head.fieldValue(1), head.authority]).toEqual(["X-Y", "z", "a"]);
    expect(parser.head.contentLength).toBe(3);
  });

  test("reset() forgets every fact", () => {
    const parser = new RequestParser(defaultLimits);
    const full = Buffer.from(
      "OPTIONS * HTTP/1.0\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\n" +
        "Upgrade: x\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
    );
    parser.feed(full, 0, full.length);
    expect(parser.head).toMatchObject({
      hostField: 0,
      connection: 1,
      expectation: "continue",
      upgradeField: 3,
      contentTypeField: 4,
      transferCoding: "chunked",
      contentLength: 1,
    });
    parser.reset();
    parser.feed(simple, 0, simple.length);
    expect(parser.head).toMatchObject({
      method: "GET",
      targetForm: "origin",
      versionMinor: 1,
      hostField: 0,
      connection: 0,
      expectation: "none",
      upgradeField: -1,
      contentTypeField: -1,
      transferCoding: "none",
      contentLength: -1,
      fieldCount: 2,
    });
  });

  test("reset() in the middle of a head starts afresh", () => {
    const parser = new RequestParser(defaultLimits);
    parser.feed(simple, 0, 25);
    parser.reset();
    expect(parser.feed(simple, 0, simple.length)).toBe("head");
    expect(parser.head.text).toBe(simple.toString());
  });

  test("an error is final", () => {
    const parser = new RequestParser(defaultLimits);
    expect(parser.feed(Buffer.from("get"), 0, 3)).toBe("bad method");
    parser.reset();
    expect(parser.feed(simple, 0, simple.length)).toBe("bad method");
  });

  test("beginTrailers() reads field lines without a request line", () => {
    const parser = new RequestParser(defaultLimits);
    parser.beginTrailers();
    const trailers = Buffer.from("X-Sum: 1\r\n\r\nGET");
    expect(parser.feed(trailers, 0, trailers.length)).toBe("head");
    expect(parser.consumed).toBe(12);
    expect(parser.head.fieldCount).toBe(1);
    expect([parser.head.fieldName(0), parser.head.fieldValue(0)]).toEqual(["X-Sum", "1"]);
  });
});

describe("a taken head whose fields are read late", () => {
  const few = Buffer.from("GET / HTTP/1.1\r\nHost: other\r\n\r\n");
  const many = Buffer.from(
    `GET / HTTP/1.1\r\nHost: other\r\n${"Some-Other: field\r\n".repeat(98)}\r\n`,
  );

  /** Heads on another connection: whole ones, and one that stays incomplete. */
  function parseOthers(): void {
    for (const [bytes, end] of [
      [few, few.length],
      [many, many.length],
      [few, 25],
    ] as const)
      new RequestParser(defaultLimits).feed(bytes, 0, end);
  }

  function offsets(head: Head): number[] {
    return [...head.fields.subarray(0, 4 * head.fieldCount)];
  }

  /** Reads at once, then late: with one cut, other heads are also parsed between the pieces. */
  function readTwice(bytes: Buffer, cut: number, row: Case): [number[], number[]] | null {
    const parser = new RequestParser(row.limits, row.options);
    parser.trusted = row.trusted;
    let step = parser.feed(bytes, 0, cut);
    if (step === "need more") {
      parseOthers();
      step = parser.feed(bytes, cut, bytes.length);
    }
    if (step !== "head") return null;
    const head = parser.takeHead();
    parser.reset();
    const early = offsets(head);
    parser.feed(few, 0, few.length);
    parseOthers();
    return [early, offsets(head)];
  }

  const corpus = readCorpus();

  test.each(corpus.map((row) => [`${row.file}: ${row.name}`, row] as const))("%s", (_, row) => {
    // As copies: an obs-fold is blanked in place.
    const whole = readTwice(Buffer.from(row.bytes), row.bytes.length, row);
    if (whole !== null) expect(whole[1]).toEqual(whole[0]);
    const step = Math.ceil(row.bytes.length / 200);
    for (let cut = 1; cut < row.bytes.length; cut += step)
      expect(readTwice(Buffer.from(row.bytes), cut, row)).toEqual(whole);
  });

  test("mutated cases", () => {
    const short = corpus.filter((row) => row.bytes.length < 400);
    const marks = Buffer.from("\r\n\t :_0a\xff", "latin1");
    let heads = 0;
    for (const row of short) {
      for (let at = 0; at < row.bytes.length; at++) {
        const bytes = Buffer.from(row.bytes);
        bytes[at] = marks[at % marks.length]!;
        const seen = readTwice(bytes, bytes.length, row);
        if (seen === null) continue;
        heads++;
        expect(seen[1]).toEqual(seen[0]);
      }
    }
    expect(heads).toBeGreaterThan(1000);
  });

  test.each([
    ["as it is", {}, "A: 1\r\nB:\t2 \r\nC:\r\nD:  \r\nE: a:b: c\r\n", "1|2|||a:b: c"],
    ["behind a dropped name", {}, "A_: 0\r\nA: 1\r\nB_: 0\r\nB: 2\r\n", "1|2|null|null|null"],
    [
      "folded",
      { permitObsoleteFolding: true },
      "A: 1\r\n 2\r\nB:\r\n  3\r\n",
      "1   2|3|null|null|null",
    ],
    ["blank name end", { stripHeaderSpaces: true }, "A : 1\r\nB\t: 2\r\n", "1|2|null|null|null"],
  ] as const)("an app gets its headers after await: %s", async (_, options, fields, expected) => {
    const parser = new RequestParser(defaultLimits, options);
    const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
    expect(parser.feed(bytes, 0, bytes.length)).toBe("head");
    const { headers } = createRequest(parser.takeHead(), "http", "", null);
    const names = ["a", "b", "c", "d", "e"];
    parser.reset();
    expect(headers.get("host")).toBe("a");
    parser.feed(many, 0, many.length);
    await Bun.sleep(0);
    parseOthers();
    expect(names.map((name) => String(headers.get(name))).join("|")).toBe(expected);
    expect(headers.get("some-other")).toBeNull();
    parseOthers();
    expect([...headers].length).toBe(1 + names.filter((name) => headers.has(name)).length);
  });
});

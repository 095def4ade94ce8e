/** What Bun's node:http writes as an answer, whole, byte by byte and cut at every offset. */
import { describe, expect, test } from "bun:test";
import { AnswerReader } from "../../../../src/app/node/answer-reader.ts";

const rows: readonly (readonly [
  claim: string,
  method: string,
  text: string,
  answer: { readonly status: number; readonly body: string; readonly rest?: string } | null,
])[] = [
  [
    "a length",
    "GET",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    { status: 200, body: "hello" },
  ],
  [
    "bytes behind the end belong to nobody",
    "GET",
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhello",
    { status: 200, body: "he", rest: "llo" },
  ],
  [
    "no body at all",
    "GET",
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    { status: 200, body: "" },
  ],
  [
    "chunks, one with an extension",
    "GET",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
    { status: 200, body: "hello0123456789" },
  ],
  [
    "trailers are dropped",
    "GET",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: y\r\nz: 1\r\n\r\nHTTP",
    { status: 200, body: "a", rest: "HTTP" },
  ],
  [
    "line ends within a chunk are its bytes",
    "GET",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n",
    { status: 200, body: "\r\n\r\n" },
  ],
  ["to HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", { status: 200, body: "" }],
  ["204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", { status: 204, body: "" }],
  [
    "304",
    "GET",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    { status: 304, body: "" },
  ],
  [
    "interim answers are passed over",
    "GET",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    { status: 200, body: "x" },
  ],
  ["a head that isn't complete", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", null],
];

function read(method: string, pieces: readonly string[]) {
  const reader = new AnswerReader(method);
  const body: Buffer[] = [];
  let rest = "";
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, "latin1");
    rest += bytes.toString("latin1", reader.read(bytes, body));
  }
  if (!reader.ended) return null;
  return { status: reader.head!.status, body: Buffer.concat(body).toString("latin1"), rest };
}

describe.each([...rows])("%s", (_claim, method, text, answer) => {
  const expected = answer === null ? null : { rest: "", ...answer };

  test("whole", () => {
    expect(read(method, [text])).toEqual(expected);
  });

  test("byte by byte", () => {
    expect(read(method, [...text])).toEqual(expected);
  });

  test("cut at every offset", () => {
    for (let at = 1; at < text.length; at++) {
      expect(read(method, [text.slice(0, at), text.slice(at)])).toEqual(expected);
    }
  });
});

test("fields as they were sent, in order, without blanks around their values", () => {
  const reader = new AnswerReader("GET");
  const text =
    "HTTP/1.1 418 I'm a teapot\r\nSet-Cookie: a=1\r\nset-cookie:  b=2 \r\nX-Empty:\r\nContent-Length: 0\r\n\r\n";
  reader.read(Buffer.from(text, "latin1"), []);
  expect(reader.head).toEqual({
    status: 418,
    reason: "I'm a teapot",
    fields: [
      ["Set-Cookie", "a=1"],
      ["set-cookie", "b=2"],
      ["X-Empty", ""],
      ["Content-Length", "0"],
    ],
  });
});

test("a body without a length ends with the connection", () => {
  const reader = new AnswerReader("GET");
  const body: Buffer[] = [];
  reader.read(Buffer.from("HTTP/1.1 200 OK\r\n\r\nhel"), body);
  reader.read(Buffer.from("lo"), body);
  expect([reader.ended, reader.endsByClose, Buffer.concat(body).toString()]).toEqual([
    false,
    true,
    "hello",
  ]);
});

import { expect, test } from "bun:test";
import { AnswerReader } from "../../../src/cli/answer-reader.ts";

interface Read {
  readonly printed: string;
  readonly status: number;
  /** Before and after the end of the connection. */
  readonly complete: readonly [boolean, boolean];
}

function read(text: string, method: string, size: number): Read {
  const reader = new AnswerReader(method);
  const bytes = Buffer.from(text, "latin1");
  let printed = "";
  for (let at = 0; at < bytes.length; at += size) {
    const parts = reader.feed(bytes.subarray(at, at + size));
    for (const part of parts) printed += part.toString("latin1");
  }
  const before = reader.isComplete;
  reader.end();
  return { printed, status: reader.status, complete: [before, reader.isComplete] };
}

const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const printedChunked = "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n";
const whole = [true, true] as const;
const cut = [false, false] as const;

type Row = [
  claim: string,
  text: string,
  printed: string,
  status: number,
  complete: Read["complete"],
  method?: string,
];

const rows: Row[] = [
  [
    "a length",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
    200,
    whole,
  ],
  [
    "no body",
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    200,
    whole,
  ],
  [
    "more than the length",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhigh",
    "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
    200,
    whole,
  ],
  [
    "less than the length",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi",
    "HTTP/1.1 200 OK\nContent-Length: 3\n\nhi",
    200,
    cut,
  ],
  ["chunks", `${chunked}2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n`, `${printedChunked}hi!`, 200, whole],
  [
    "chunks with trailers",
    `${chunked}2\r\nhi\r\n0\r\nA: b\r\n\r\n`,
    `${printedChunked}hi`,
    200,
    whole,
  ],
  ["chunks without an end", `${chunked}2\r\nhi\r\n`, `${printedChunked}hi`, 200, cut],
  ["no chunks", `${chunked}no`, printedChunked, 200, cut],
  ["until the end", "HTTP/1.0 200 OK\r\n\r\nhi", "HTTP/1.0 200 OK\n\nhi", 200, [false, true]],
  [
    "HEAD",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
    "HTTP/1.1 200 OK\nContent-Length: 2\n\n",
    200,
    whole,
    "HEAD",
  ],
  ["204", "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\n\n", 204, whole],
  [
    "304 with a length",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    "HTTP/1.1 304 Not Modified\nContent-Length: 9\n\n",
    304,
    whole,
  ],
  [
    "interim answers",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 404 \r\nContent-Length: 1\r\n\r\n?",
    "HTTP/1.1 404 \nContent-Length: 1\n\n?",
    404,
    whole,
  ],
  [
    "an upgrade",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nbytes",
    "HTTP/1.1 101 Switching Protocols\nUpgrade: x\n\n",
    101,
    whole,
  ],
  [
    "a status without a reason",
    "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200\nContent-Length: 0\n\n",
    200,
    whole,
  ],
  ["a head without an end", "HTTP/1.1 200 OK\r\n", "", 0, cut],
  ["another protocol", "Status: 200 OK\r\n\r\nhi", "", 0, cut],
  ["nothing", "", "", 0, cut],
];

test.each(rows)(
  "AnswerReader reads %s, whole and byte by byte",
  (...[, text, printed, status, complete, method = "GET"]) => {
    for (const size of [text.length || 1, 1, 7]) {
      expect(read(text, method, size)).toEqual({ printed, status, complete });
    }
  },
);

/** Heads of pumped answers: the last one is kept, and never is it another's. */
import { expect, test } from "bun:test";
import { type AppFields, noFields } from "../../../../../src/http/response/head/app-fields.ts";
import { newContext, type ResponseContext } from "../../../../../src/http/response/head/head.ts";
import {
  type StreamFraming,
  streamHead,
} from "../../../../../src/http/response/head/stream-head.ts";
import type { Trailers } from "../../../../../src/http/response/head/trailers.ts";

interface Made {
  readonly status: number;
  readonly statusText: string;
  readonly fields: AppFields;
  readonly type: string;
  readonly framing: StreamFraming;
  readonly length: number;
  readonly trailers: Trailers | null;
  readonly keepAlive: boolean;
  readonly context: Partial<ResponseContext>;
}

const usual: Made = {
  status: 200,
  statusText: "",
  fields: noFields,
  type: "",
  framing: "chunked",
  length: 0,
  trailers: null,
  keepAlive: true,
  context: {},
};

const date = "Sun, 29 Nov 2026 10:00:00 GMT";
const fields = { ...noFields, lines: "x: y\r\n", trailer: "z" };

function headOf(made: Partial<Made>): string {
  const all = { ...usual, ...made };
  const context = { ...newContext(), date, ...all.context };
  const { framing, length, trailers, keepAlive } = all;
  return streamHead(all, all.fields, all.type, framing, length, trailers, keepAlive, context);
}

const server = "Server: gunicorn-ts\r\n";
const start = `HTTP/1.1 200 OK\r\n${server}Date: ${date}\r\n`;
const chunked = "Transfer-Encoding: chunked\r\n\r\n";

const rows: [what: string, made: Partial<Made>, expected: string][] = [
  ["the usual one", {}, `${start}${chunked}`],
  [
    "another status",
    { status: 201 },
    `HTTP/1.1 201 Created\r\n${server}Date: ${date}\r\n${chunked}`,
  ],
  [
    "a phrase of its own",
    { statusText: "Fine" },
    `HTTP/1.1 200 Fine\r\n${server}Date: ${date}\r\n${chunked}`,
  ],
  ["fields", { fields }, `${start}x: y\r\n${chunked}`],
  ["a type", { type: "a/b" }, `${start}Content-Type: a/b\r\n${chunked}`],
  ["a length", { framing: "length", length: 5 }, `${start}Content-Length: 5\r\n\r\n`],
  ["another length", { framing: "length", length: 6 }, `${start}Content-Length: 6\r\n\r\n`],
  ["the length 0", { framing: "length" }, `${start}Content-Length: 0\r\n\r\n`],
  ["the end of the connection", { framing: "close" }, `${start}\r\n`],
  ["a connection that ends", { keepAlive: false }, `${start}Connection: close\r\n${chunked}`],
  [
    "HTTP/1.0",
    { framing: "close", context: { versionMinor: 0 } },
    `${start}Connection: keep-alive\r\n\r\n`,
  ],
  [
    "trailers",
    { fields, trailers: {} as Trailers },
    `${start}x: y\r\nTransfer-Encoding: chunked\r\nTrailer: z\r\n\r\n`,
  ],
  [
    "another second",
    { context: { date: "Sun, 29 Nov 2026 10:00:01 GMT" } },
    `${start.replace("10:00:00", "10:00:01")}${chunked}`,
  ],
];

test.each(rows)("%s, behind each of the others", (_what, made, expected) => {
  for (const [, other, head] of rows) {
    expect(headOf(other)).toBe(head);
    expect(headOf(made)).toBe(expected);
    expect(headOf(made)).toBe(expected);
  }
});

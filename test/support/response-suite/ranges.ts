/** Files of which a client asks for a part. The fields of each request stand behind its answer. */
import type { SuiteRow } from "./rows.ts";

const small = (init?: ResponseInit) => new Response(Bun.file("small.txt"), init);
const withFields = (headers: Record<string, string>) => () => small({ headers });

/** small.txt has 13 bytes. */
const values = [
  "bytes=2-5",
  "bytes=2-",
  "bytes=-4",
  "bytes=0-0",
  "bytes=0-",
  "bytes=12-12",
  "bytes=12-",
  "bytes=13-",
  "bytes=13-20",
  "bytes=5-100",
  "bytes=-0",
  "bytes=-100",
  "bytes=-13",
  "bytes=0-12",
  "bytes=5-2",
  "bytes=1-2,4-5",
  "bytes=1-2, 20-30",
  "bytes=20-30,40-",
  "bytes=2-5,",
  "bytes=,2-5",
  "bytes=",
  "bytes",
  "bytes=-",
  "bytes=a-b",
  "bytes=1-b",
  "bytes=1--2",
  "bytes=+1-2",
  "bytes=0x1-2",
  "bytes=1e1-",
  "bytes= 2-5",
  "bytes=2 - 5",
  "bytes =2-5",
  "BYTES=2-5",
  "items=2-5",
  "bytes=0002-0005",
  "bytes=0-18446744073709551615",
  "bytes=18446744073709551615-",
  "bytes=0-99999999999999999999",
  "bytes=99999999999999999999-",
  "bytes=-99999999999999999999",
  "",
];

const dated = "Sat, 01 Jan 2000 00:00:00 GMT";
export const rangeApps: readonly SuiteRow[] = [
  ["a file with an ETag", withFields({ etag: '"x"' })],
  ["a file with a weak ETag", withFields({ etag: 'W/"x"' })],
  ["a file with a Last-Modified", withFields({ "last-modified": dated })],
  ["a file with neither", () => small()],
];

/** large.bin has 200,000 bytes. */
export const largeRanges = [
  "bytes=10-19",
  "bytes=100000-",
  "bytes=-5",
  "bytes=150000-199999",
  "bytes=200000-",
];
const conditions = ['"x"', '"y"', 'W/"x"', dated, "Sat, 01 Jan 2000 00:00:01 GMT", "x", ""];

const part = ["Range: bytes=2-5"];
const beyond = ["Range: bytes=20-"];

export const ranges: readonly SuiteRow[] = [
  ...values.map((value): SuiteRow => [`Range: ${value}`, () => small(), [`Range: ${value}`]]),
  ["two Ranges", () => small(), ["Range: bytes=1-2", "Range: bytes=4-5"]],
  ...largeRanges.map((value): SuiteRow => [
    `Range: ${value} of 200,000 bytes`,
    () => new Response(Bun.file("large.bin")),
    [`Range: ${value}`],
  ]),
  ...["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0"].map((value): SuiteRow => [
    `Range: ${value} of an empty file`,
    () => new Response(Bun.file("empty.txt")),
    [`Range: ${value}`],
  ]),
  ...rangeApps.flatMap(([app, answer]) =>
    conditions.map((value): SuiteRow => [
      `If-Range: ${value} of ${app}`,
      answer,
      [...part, `If-Range: ${value}`],
    ]),
  ),
  [
    "If-Range that holds of a range beyond the end",
    withFields({ etag: '"x"' }),
    [...beyond, 'If-Range: "x"'],
  ],
  [
    "If-Range that doesn't hold of a range beyond the end",
    withFields({ etag: '"x"' }),
    [...beyond, 'If-Range: "y"'],
  ],
  ["If-Range without Range", withFields({ etag: '"x"' }), ['If-Range: "x"']],
  [
    "a range of a slice that is all of a file",
    () => new Response(Bun.file("small.txt").slice(0, 13)),
    part,
  ],
  [
    "a range beyond a slice that is all of a file",
    () => new Response(Bun.file("small.txt").slice()),
    beyond,
  ],
  [
    "a range of a slice that ends behind a file",
    () => new Response(Bun.file("small.txt").slice(0, 99)),
    part,
  ],
  ["a range of a slice of a file", () => new Response(Bun.file("small.txt").slice(2, 9)), part],
  ["a range of a file with status 201", () => small({ status: 201 }), part],
  ["a range of a file with status 206", () => small({ status: 206 }), part],
  ["a range of a file with status 404", () => small({ status: 404 }), part],
  ["a range of a file with Content-Range", withFields({ "content-range": "bytes 0-3/9" }), part],
  ["a range of a file with its Content-Length", withFields({ "content-length": "13" }), part],
  ["a range of a file with a wrong Content-Length", withFields({ "content-length": "5" }), part],
  ["a range of a file with Accept-Ranges: bytes", withFields({ "accept-ranges": "bytes" }), part],
  ["a range of a file with Accept-Ranges: none", withFields({ "accept-ranges": "none" }), part],
  ["a range of a file with Content-Encoding", withFields({ "content-encoding": "gzip" }), part],
  ["a range of a file with fields", withFields({ "x-own": "1" }), part],
  ["a range beyond the end of a file with fields", withFields({ "x-own": "1" }), beyond],
  [
    "a range of a file after a turn",
    async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return small();
    },
    part,
  ],
  ["a range of a clone of a file", () => small().clone(), part],
  [
    "a range of a Response made of a file's body",
    () => {
      const other = small();
      return new Response(other.body, other);
    },
    part,
  ],
  ["a range of text", () => new Response("a small text"), part],
  ["a range of bytes", () => new Response(Uint8Array.of(1, 2, 3, 4, 5, 6, 7)), part],
  ["a range of a Blob", () => new Response(new Blob(["a blob"], { type: "text/x-b" })), part],
  [
    "If-Modified-Since of a file",
    () => small(),
    ["If-Modified-Since: Sat, 01 Jan 2050 00:00:00 GMT"],
  ],
  ["If-None-Match of a file", withFields({ etag: '"x"' }), ['If-None-Match: "x"']],
  ["If-Match of a file", withFields({ etag: '"x"' }), ['If-Match: "y"']],
];

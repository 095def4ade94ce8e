import { describe, expect, test } from "bun:test";
import { field, type RawClient } from "../support/raw-client.ts";
import { until } from "../support/server.ts";
import { get, requestText, transports, useWire, type Wire } from "../support/wire.ts";

interface Row {
  readonly claim: string;
  readonly request: string | Uint8Array;
  readonly status: number;
  readonly reason: string;
  /** The text on the page and in the log. */
  readonly text: string;
}

const inChunks = requestText("POST", "/text", ["Transfer-Encoding: chunked"]);

function bad(text: string): Pick<Row, "status" | "reason" | "text"> {
  return { status: 400, reason: "Bad Request", text };
}

const tooLarge = { status: 431, reason: "Request Header Fields Too Large" };

const rows: readonly Row[] = [
  { claim: "no target", request: "GET HTTP/1.1\r\n\r\n", ...bad("Invalid HTTP request line") },
  { claim: "no version", request: "GET /\r\n\r\n", ...bad("Invalid HTTP request line") },
  { claim: "a method in lower case", request: "get / HTTP/1.1\r\n", ...bad("Invalid HTTP method") },
  { claim: "a bad target", request: "GET x HTTP/1.1\r\n", ...bad("Invalid request target") },
  { claim: "a bad version", request: "GET / HTTPS/1.1\r\n", ...bad("Invalid HTTP version") },
  { claim: "a bare LF", request: "GET / HTTP/1.1\n", ...bad("Line does not end in CRLF") },
  { claim: "no Host", request: "GET / HTTP/1.1\r\n\r\n", ...bad("Missing Host header field") },
  { claim: "two Hosts", request: get("/", "Host: b"), ...bad("Repeated Host header field") },
  { claim: "a bad field name", request: get("/", "A b: c"), ...bad("Invalid header field name") },
  { claim: "a bad field value", request: get("/", "A: \0"), ...bad("Invalid header field value") },
  {
    claim: "a folded field",
    request: get("/", "A: b", " c"),
    ...bad("Obsolete line folding is unacceptable"),
  },
  {
    claim: "a bad Content-Length",
    request: get("/", "Content-Length: -1"),
    ...bad("Invalid Content-Length"),
  },
  {
    claim: "two Content-Lengths",
    request: get("/", "Content-Length: 1", "Content-Length: 1"),
    ...bad("Repeated Content-Length header field"),
  },
  {
    claim: "both lengths",
    request: get("/", "Content-Length: 1", "Transfer-Encoding: chunked"),
    ...bad("Content-Length with Transfer-Encoding"),
  },
  {
    claim: "chunks on 1.0",
    request: "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    ...bad("Transfer-Encoding in an HTTP/1.0 request"),
  },
  {
    claim: "a TLS handshake",
    request: Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3),
    ...bad("TLS handshake on a plain HTTP port"),
  },
  {
    claim: "the HTTP/2 preface",
    request: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ...bad("HTTP/2 preface on an HTTP/1.1 port"),
  },
  { claim: "a bad chunk size", request: `${inChunks}x\r\n`, ...bad("Invalid chunk size") },
  {
    claim: "a chunk without its CRLF",
    request: `${inChunks}1\r\nab`,
    ...bad("Chunk data is not followed by CRLF"),
  },
  {
    claim: "a forbidden trailer",
    request: `${inChunks}0\r\nHost: b\r\n\r\n`,
    ...bad("Forbidden trailer field"),
  },
  {
    claim: "a request line over its limit",
    request: `GET /${"x".repeat(5000)}`,
    status: 414,
    reason: "URI Too Long",
    text: "Request line is over limit_request_line",
  },
  {
    claim: "a field over its limit",
    request: get("/", `A: ${"x".repeat(9000)}`),
    ...tooLarge,
    text: "Header field is over limit_request_field_size",
  },
  {
    claim: "more fields than their limit",
    request: get("/", ...Array.from({ length: 101 }, (_, index) => `A${index}: b`)),
    ...tooLarge,
    text: "More header fields than limit_request_fields",
  },
  {
    claim: "an unknown expectation",
    request: get("/", "Expect: the worst"),
    status: 417,
    reason: "Expectation Failed",
    text: "Unable to comply with expectation",
  },
  {
    claim: "an unknown transfer coding",
    request: get("/", "Transfer-Encoding: br"),
    status: 501,
    reason: "Not Implemented",
    text: "Unsupported transfer coding",
  },
  {
    claim: "another major version",
    request: "GET / HTTP/3.0\r\nHost: test\r\n\r\n",
    status: 505,
    reason: "HTTP Version Not Supported",
    text: "Unsupported HTTP version",
  },
];

function page(reason: string, text: string): string {
  return `<html>
  <head>
    <title>${reason}</title>
  </head>
  <body>
    <h1><p>${reason}</p></h1>
    ${text}
  </body>
</html>
`;
}

async function expectRefusal(
  client: RawClient,
  row: Omit<Row, "request" | "claim">,
): Promise<void> {
  const answer = await client.answer();
  expect([answer.status, answer.reason]).toEqual([row.status, row.reason]);
  expect(answer.body.toString()).toBe(page(row.reason, row.text));
  expect(field(answer, "content-type")).toBe("text/html");
  expect(field(answer, "connection")).toBe("close");
  expect(await client.ended()).toBe("fin");
  expect(client.unread).toBe(0);
}

// Bun.serve reads requests itself and has a table of its own.
describe.each(transports)("-k async over %s: a bad request", (transport) => {
  const wire = useWire({ kind: "async", transport, app: "requests.ts" });

  test.each(rows.map((row) => [row.claim, row] as const))("%s", async (_claim, row) => {
    const mark = wire.server.log.length;
    using client = await wire.connect();
    // What is behind it is never parsed.
    client.send(row.request);
    client.send(get("/number?smuggled"));
    await expectRefusal(client, row);
    const line = `[${wire.workerPid}] [WARNING] Invalid request from ip=127.0.0.1: ${row.text}\n`;
    await wire.server.logged(line, mark);
    expect(wire.server.log.slice(mark).match(/\n/g)).toHaveLength(1);
  });

  test.each(rows.map((row) => [row.claim, row] as const))(
    "behind two good ones: %s",
    async (_claim, row) => {
      using client = await wire.connect();
      client.send(get("/number?1") + get("/delayed?turns=2"));
      client.send(row.request);
      expect((await client.answer()).body.toString()).toBe("?1");
      expect((await client.answer()).body.toString()).toBe("?turns=2");
      await expectRefusal(client, row);
    },
  );

  test("its answer is read even by a client that is still sending", async () => {
    using client = await wire.connect();
    client.send("GET / HTTP/9.9\r\n\r\n");
    const more = Buffer.alloc(1_000_000);
    for (let count = 0; count < 20; count++) client.send(more);
    await client.sent();
    expect((await client.answer()).status).toBe(505);
  });

  test("a refusal ends also when the client never closes", async () => {
    using client = await wire.connect();
    client.send("x\r\n");
    expect((await client.answer()).status).toBe(400);
    expect(await client.ended()).toBe("fin");
    await until("the server to let go after its lingering read", () => {
      client.send("x");
      return client.closed;
    });
  });
});

interface LimitRow {
  readonly claim: string;
  readonly args: readonly string[];
  /** A request that measures so much of what is limited. */
  readonly request: (measure: number) => string;
  readonly limit: number;
  readonly status: number;
}

const limitRows: readonly LimitRow[] = [
  {
    claim: "--limit-request-line",
    args: ["--limit-request-line", "100"],
    request: (length) => get(`/${"x".repeat(length - "GET / HTTP/1.1".length)}`),
    limit: 100,
    status: 414,
  },
  {
    claim: "--limit-request-fields",
    args: ["--limit-request-fields", "5"],
    // Host is one.
    request: (count) => get("/", ...Array.from({ length: count - 1 }, (_, n) => `A${n}: b`)),
    limit: 5,
    status: 431,
  },
  {
    claim: "--limit-request-field_size",
    args: ["--limit-request-field_size", "64"],
    request: (length) => get("/", `A: ${"x".repeat(length - "A: \r\n".length)}`),
    limit: 64,
    status: 431,
  },
];

// Worker class serve refuses these settings.
describe.each(transports)("-k async over %s: limits", (transport) => {
  const args = limitRows.flatMap((row) => row.args);
  const wire = useWire({ kind: "async", transport, app: "requests.ts", args });

  test.each(limitRows.map((row) => [row.claim, row] as const))("%s", async (_claim, row) => {
    const { request, limit, status } = row;
    for (const [measure, expected] of [
      [limit - 1, "served"],
      [limit, "served"],
      [limit + 1, "refused"],
    ] as const) {
      for (const pieces of [[request(measure)], request(measure)]) {
        expect([measure, await outcome(wire, pieces, status)]).toEqual([measure, expected]);
      }
    }
  });

  test("a line that never ends is refused at limit + 1", async () => {
    using client = await wire.connect();
    const line = `GET /${"x".repeat(95)}`;
    await client.sendPieces([line]);
    await wire.ask(get("/"));
    expect(client.unread).toBe(0);
    await client.sendPieces(["x"]);
    expect((await client.answer()).status).toBe(414);
  });
});

async function outcome(wire: Wire, pieces: Iterable<string>, status: number): Promise<string> {
  using client = await wire.connect();
  await client.sendPieces(pieces);
  const answer = await client.answer();
  if (answer.status === status) return "refused";
  return answer.status === 404 || answer.status === 200 ? "served" : `${answer.status}`;
}

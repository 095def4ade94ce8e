import { describe, expect, test } from "bun:test";
import { descriptorsOf } from "../support/descriptors.ts";
import { field, type RawClient } from "../support/raw-client.ts";
import { until } from "../support/server.ts";
import { standstill } from "../support/standstill.ts";
import {
  chunked,
  columns,
  get,
  post,
  requestText,
  rowsFor,
  testUnless,
  useWire,
  type WireRow,
} from "../support/wire.ts";

interface Row extends WireRow {
  readonly request: string;
  readonly body: string;
  readonly status?: number;
  /** How the bytes are cut into segments matters. */
  readonly wholeOnly?: boolean;
}

const inChunks = "Transfer-Encoding: chunked";
const form = "Content-Type: application/x-www-form-urlencoded";
const multipart = [
  "--XX",
  'Content-Disposition: form-data; name="a"',
  "",
  "1",
  "--XX",
  'Content-Disposition: form-data; name="b"',
  "",
  "two words",
  "--XX--",
  "",
].join("\r\n");

const rows: readonly Row[] = [
  ...["/text", "/bytes", "/array-buffer", "/blob", "/echo", "/read-later"].flatMap((path) => [
    { claim: `${path} with a length`, request: post(path, "some text"), body: "some text" },
    {
      claim: `${path} in chunks`,
      request: requestText("POST", path, [inChunks]) + chunked("some ", "te", "xt"),
      body: "some text",
    },
  ]),
  { claim: "JSON with a length", request: post("/json", '{ "a": [1] }'), body: '{"a":[1]}' },
  {
    claim: "JSON in chunks",
    request: requestText("POST", "/json", [inChunks]) + chunked('{"a"', ":[1]}"),
    body: '{"a":[1]}',
  },
  {
    claim: "a form",
    request: post("/form", "a=1&b=two+words", form),
    body: '[["a","1"],["b","two words"]]',
  },
  {
    claim: "a form of several parts",
    request: post("/form", multipart, "Content-Type: multipart/form-data; boundary=XX"),
    body: '[["a","1"],["b","two words"]]',
  },
  {
    claim: "a form of several parts in chunks",
    request:
      requestText("POST", "/form", [inChunks, "Content-Type: multipart/form-data; boundary=XX"]) +
      chunked(multipart.slice(0, 7), multipart.slice(7)),
    body: '[["a","1"],["b","two words"]]',
  },
  { claim: "a clone reads the same", request: post("/clone", "both"), body: "both|both" },
  { claim: "a length of 0", request: post("/text", ""), body: "" },
  { claim: "no length at all", request: requestText("POST", "/text"), body: "" },
  {
    claim: "no chunk but the last",
    request: requestText("POST", "/text", [inChunks]) + chunked(),
    body: "",
  },
  {
    claim: "chunk extensions are ignored",
    request: requestText("POST", "/text", [inChunks]) + '3;a=b;c="d"\r\nabc\r\n0;last\r\n\r\n',
    body: "abc",
  },
  {
    claim: "trailers are read and end the body",
    request: requestText("POST", "/text", [inChunks]) + "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
    body: "abc",
    notServe: "Bun.serve takes trailers for the next request",
  },
  {
    claim: "the coding's name in upper case",
    request: requestText("POST", "/text", ["transfer-encoding: CHUNKED"]) + chunked("abc"),
    body: "abc",
  },
  {
    claim: "GET shows no body, and the one it has is read past",
    request: requestText("GET", "/has-body", ["Content-Length: 4"]) + "body",
    body: "false",
  },
  {
    claim: "DELETE may have a body",
    request: post("/text", "x").replace("POST", "DELETE"),
    body: "x",
  },
  { claim: "an unread body", request: post("/unread", "x".repeat(60_000)), body: "unread" },
  { claim: "an unread body, async", request: post("/unread-later", "abc"), body: "unread" },
  {
    claim: "an unread body in chunks, if it comes before the answer",
    request: requestText("POST", "/unread-later", [inChunks]) + chunked("abc", "def"),
    body: "unread",
    wholeOnly: true,
  },
  {
    claim: "a body that is cancelled after its first piece",
    request: post("/first-chunk", "some text"),
    body: "first true",
  },
];

type Delivery = [name: string, pieces: string[]];

function whole(request: string): Delivery {
  return ["whole", [request]];
}

function deliveries(request: string): Delivery[] {
  const bodyStart = request.indexOf("\r\n\r\n") + 4;
  const middle = (bodyStart + request.length) >> 1;
  const byByte: Delivery = ["byte by byte", [...request]];
  return [
    whole(request),
    ["head first", [request.slice(0, bodyStart), request.slice(bodyStart)]],
    ["in the middle of the body", [request.slice(0, middle), request.slice(middle)]],
    ...(request.length < 500 ? [byByte] : []),
  ];
}

describe.each(columns)("-k %s over %s: a request body as", (kind, transport) => {
  const wire = useWire({ kind, transport, app: "requests.ts" });

  /** What the client has left to send, once the server has served somebody else. */
  async function unsentAfterAnother(client: RawClient): Promise<number> {
    await wire.ask(get("/"));
    return client.unsentBytes;
  }

  test.each(rowsFor(kind, rows))("%s", async (_claim, row) => {
    const { request, body, status = 200 } = row;
    for (const [delivery, pieces] of row.wholeOnly ? [whole(request)] : deliveries(request)) {
      using client = await wire.connect();
      await client.sendPieces(pieces);
      const answer = await client.answer();
      expect([delivery, answer.status, answer.body.toString()]).toEqual([delivery, status, body]);
      expect((await client.ask(get("/"))).body.toString()).toBe("hello");
    }
  });

  test("1 MiB with a length, and in chunks", async () => {
    using client = await wire.connect();
    const text = "0123456789abcdef".repeat(65_536);
    const fixed = await client.ask(post("/count", text));
    expect(fixed.body.toString()).toBe(String(text.length));
    const pieces = text.match(/.{10000}|.+$/g) ?? [];
    const answer = await client.ask(requestText("POST", "/text", [inChunks]) + chunked(...pieces));
    expect(answer.body.toString()).toBe(text);
  });

  test("uploads of any size, in pieces of any size, several at once", async () => {
    const letters = Buffer.alloc(
      600_000,
      Buffer.from(Array.from({ length: 10_007 }, (_, at) => (at * 7) % 251)),
    );
    await Promise.all(
      [30_001, 65_536, 262_144, 600_000].map(async (size) => {
        using client = await wire.connect();
        for (const largest of [3000, 70_000, size]) {
          const body = letters.subarray(size % 10_007, size);
          client.send(requestText("POST", "/bytes", [`Content-Length: ${body.length}`]));
          const pieces: Buffer[] = [];
          for (let at = 0, step = 1; at < body.length; at += step) {
            step = 1 + ((step * 48_271) % largest);
            pieces.push(body.subarray(at, at + step));
          }
          await client.sendPieces(pieces);
          const answer = await client.answer();
          expect([size, largest, answer.body.equals(body)]).toEqual([size, largest, true]);
        }
      }),
    );
  });

  test("clients that leave within an upload leave nothing behind", async () => {
    const openSockets = () =>
      descriptorsOf(wire.workerPid).filter(([, what]) => what.startsWith("socket:")).length;
    await wire.ask(get("/"));
    const before = openSockets();
    const clients = await Promise.all(Array.from({ length: 30 }, () => wire.connect()));
    for (const [index, client] of clients.entries()) {
      client.send(requestText("POST", "/bytes", [`Content-Length: ${2 ** 20}`]));
      client.send(Buffer.alloc(1 + ((index * 48_271) % 2 ** 20)));
      await client.sent();
    }
    for (const [index, client] of clients.entries()) {
      if (index % 2 === 0) client.reset();
      else client[Symbol.dispose]();
    }
    await until("the sockets to be closed", () => openSockets() <= before);
    expect((await wire.ask(get("/"))).status).toBe(200);
  });

  test("a stream that is echoed while it comes", async () => {
    using client = await wire.connect();
    client.send(requestText("POST", "/echo", [inChunks]));
    for (const word of ["first", "second", "third"]) {
      client.send(`${word.length.toString(16)}\r\n${word}\r\n`);
      await client.seen(word);
    }
    client.send("0\r\n\r\n");
    const answer = await client.answer();
    expect([answer.complete, answer.body.toString()]).toEqual([true, "firstsecondthird"]);
  });

  test("an echo of 40 MB waits for its reader, and then loses nothing", async () => {
    using client = await wire.connect();
    const body = Buffer.alloc(40_000_000, "0123456789");
    client.pause();
    client.send(post("/echo", "", "X: 1").replace("Length: 0", `Length: ${body.length}`));
    client.send(body);
    // Nobody reads the echo: the server stops reading, and so the kernel stops taking.
    expect(await standstill(() => unsentAfterAnother(client))).toBeGreaterThan(10_000_000);
    client.resume();
    const answer = await client.answer();
    expect(answer.complete).toBe(true);
    expect(answer.body.equals(body)).toBe(true);
  });

  test("a large body that isn't read stops the client", async () => {
    using client = await wire.connect();
    const size = 40_000_000;
    client.send(requestText("POST", "/read-at-gate?large", [`Content-Length: ${size}`]));
    client.send(Buffer.alloc(size));
    expect(await standstill(() => unsentAfterAnother(client))).toBeGreaterThan(10_000_000);
    await until("the gate to open", async () => {
      return (await wire.ask(get("/open-gate?large"))).status === 200;
    });
    expect((await client.answer()).body.toString()).toBe(String(size));
    expect((await client.ask(get("/"))).status).toBe(200);
  });

  // Bun.serve reads past bodies of any size.
  testUnless(kind === "serve")(
    "a large unread one costs the connection, answer first",
    async () => {
      for (const path of ["/unread", "/unread-later", "/refuse", "/first-chunk"]) {
        using client = await wire.connect();
        const size = 10_000_000;
        client.send(requestText("POST", path, [`Content-Length: ${size}`]));
        client.send(Buffer.alloc(size));
        const answer = await client.answer();
        expect(answer.status).toBe(path === "/refuse" ? 413 : 200);
        expect(field(answer, "connection")).toBe("close");
        expect(await client.ended()).toBe("fin");
      }
    },
  );

  testUnless(kind === "serve")("an endless unread one costs the connection", async () => {
    using client = await wire.connect();
    const answer = await client.ask(`${requestText("POST", "/unread", [inChunks])}3\r\nabc\r\n`);
    expect(field(answer, "connection")).toBe("close");
    expect(await client.ended()).toBe("fin");
  });

  testUnless(kind === "serve")("one that is left in the middle costs the connection", async () => {
    using client = await wire.connect();
    client.send(`${requestText("POST", "/first-chunk", [inChunks])}3\r\nabc\r\n`);
    const answer = await client.answer();
    expect(answer.body.toString()).toBe("first true");
    expect(field(answer, "connection")).toBe("close");
    expect(await client.ended()).toBe("fin");
  });
});

/** What a connection doesn't take: which answer, log line and record it makes, and that nothing behind it is parsed. */
import { describe, expect, test } from "bun:test";
import {
  FakeEngine,
  type FakeEngineOptions,
  later,
  statuses,
} from "../../../support/fake-engine.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

const get = "GET /ok HTTP/1.1\r\nHost: x\r\n\r\n";
const chunked = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

type Row = [
  claim: string,
  sent: string,
  status: number,
  log: string,
  told: string,
  options?: FakeEngineOptions,
];

const rows: Row[] = [
  ["no HTTP", "nonsense\r\n\r\n", 400, "Invalid HTTP method", " 400"],
  ["a TLS handshake", "\x16\x03\x01\x02\x00", 400, "TLS handshake on a plain HTTP port", " 400"],
  ["no Host", "GET /a HTTP/1.1\r\n\r\n", 400, "Missing Host", "GET /a 400"],
  [
    "another major version",
    "GET /a HTTP/2.0\r\n\r\n",
    505,
    "Unsupported HTTP version",
    "GET /a 505",
  ],
  ["a long target", `GET /${"a".repeat(5000)} HTTP/1.1\r\n`, 414, "limit_request_line", ""],
  [
    "a bad field",
    "GET /a HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n",
    400,
    "Invalid header field name",
    "GET /a 400",
  ],
  [
    "two lengths",
    "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    400,
    "Repeated Content-Length",
    "POST /a 400",
  ],
  [
    "an expectation that nobody knows",
    "POST /a HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nContent-Length: 1\r\n\r\n",
    417,
    "expectation",
    "POST /a 417",
  ],
  [
    "a body that is too large by its length",
    "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n",
    413,
    "limit_request_body",
    "POST /a 413",
    { config: { limitRequestBody: 10 } },
  ],
  [
    "a body that is too large by its chunks",
    `${chunked}5\r\nabcde\r\n6\r\nabcdef\r\n`,
    413,
    "limit_request_body",
    "POST /a 413",
    { config: { limitRequestBody: 10 } },
  ],
  ["a bad chunk", `${chunked}x\r\n`, 400, "Invalid chunk size", "POST /a 400"],
  [
    "a bad chunk behind a good one",
    `${chunked}1\r\na\r\nx\r\n`,
    400,
    "Invalid chunk size",
    "POST /a 400",
  ],
  [
    "schemes that contradict each other",
    "GET /a HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\n\r\n",
    400,
    "Contradictory scheme headers",
    "GET /a 400",
    { config: { forwardedAllowIps: ["*"] } },
  ],
  [
    "a path outside the mount",
    "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
    500,
    "SCRIPT_NAME",
    "GET /a 500",
    { scriptName: "/app" },
  ],
];

/** Apps that read all, so that a body's fault comes before the answer. */
const readAll = async (request: Request) => new Response(await request.text());

describe.each([
  ["in one piece", Number.POSITIVE_INFINITY],
  ["byte by byte", 1],
])("%s", (_how, size) => {
  test.each(rows)("%s", async (...row) => {
    const [, sent, status, log, told, options] = row;
    const engine = new FakeEngine(readAll, options);
    const wire = engine.connect();
    wire.send(sent + get, size);
    await engine.settle();
    expect(statuses(wire.text)).toEqual([status]);
    expect(wire.text).toContain("Connection: close");
    expect(wire.did).toEqual(["shutdown"]);
    const said = engine.lines.filter((line) => !line.startsWith("debug"));
    expect(said).toEqual([expect.stringContaining("Invalid request from ip=192.0.2.7: ")]);
    expect(said[0]).toContain(log);
    expect(engine.told).toHaveLength(1);
    expect(engine.told[0]).toContain(told);
    expect(engine.inFlight).toBe(0);
    engine.tick(20);
    expect(wire.closed).toBe(true);
    // Nothing of it is left to the next client.
    const next = engine.connect();
    next.send(get.replace("/ok", `${options?.scriptName ?? ""}/ok`));
    await engine.settle();
    expect(statuses(next.text)).toEqual([200]);
  });
});

test.each(rows)("behind an answer: %s", async (...row) => {
  const [, sent, status, , , options] = row;
  if (options?.scriptName !== undefined) return;
  const engine = new FakeEngine(readAll, options);
  const wire = engine.connect();
  wire.send(get + sent);
  await engine.settle();
  expect(statuses(wire.text)).toEqual([200, status]);
  expect(engine.told).toHaveLength(2);
});

describe("a body that turns out wrong", () => {
  test("while the app waits for something else: the app's answer comes too late", async () => {
    const answer = later();
    const engine = new FakeEngine(() => answer.promise);
    const wire = engine.connect();
    wire.send(`${chunked}x\r\n`);
    expect(statuses(wire.text)).toEqual([400]);
    answer.resolve(new Response(new ReadableStream()));
    await engine.settle();
    expect(statuses(wire.text)).toEqual([400]);
    expect(engine.told).toEqual([expect.stringMatching(/^POST \/a 400 [0-9]+$/)]);
    expect(engine.inFlight).toBe(0);
  });

  test("and the app fails of it: that is no fault of the app", async () => {
    const engine = new FakeEngine(readAll);
    const wire = engine.connect();
    wire.send(`${chunked}1\r\na`);
    wire.send("x\r\n");
    await engine.settle();
    expect(engine.lines.at(-1)).toStartWith("debug: Gave up POST /a");
  });

  test("in the middle of the answer: that ends the connection", async () => {
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    const engine = new FakeEngine(() => new Response(readable));
    const wire = engine.connect();
    wire.send(chunked);
    void writer.write(Buffer.from("a"));
    await engine.settle();
    wire.send("x\r\n");
    void writer.write(Buffer.from("b"));
    void writer.close();
    await engine.settle();
    expect(statuses(wire.text)).toEqual([200]);
    expect(wire.text).toEndWith("0\r\n\r\n");
    expect(engine.lines).toEqual([
      "warning: Invalid request from ip=192.0.2.7: Invalid chunk size",
    ]);
    expect(wire.did).toEqual(["shutdown"]);
  });

  test("behind the answer: the same", async () => {
    const engine = new FakeEngine();
    const wire = engine.connect();
    wire.send(`${chunked}1\r\n`);
    wire.send("ax\r\n");
    await engine.settle();
    expect(statuses(wire.text)).toEqual([200]);
    expect(wire.did).toEqual(["shutdown"]);
  });
});

/** The PROXY header, in pieces of any size. */
describe("PROXY", () => {
  const line = "PROXY TCP4 198.51.100.9 203.0.113.1 5678 80\r\n";
  const header =
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc6\x33\x64\x09\xcb\x00\x71\x01\x16\x2e\x00\x50";
  const open = { config: { proxyProtocol: "auto", proxyAllowIps: ["*"] } } as const;
  const ask = (request: Request, server: { requestIP(request: Request): unknown }) =>
    Response.json(server.requestIP(request));

  test.each([
    ["line", line, "198.51.100.9", 5678],
    ["header", header, "198.51.100.9", 5678],
    ["nothing", "", "192.0.2.7", 4321],
    ["a LOCAL header", "\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00", "192.0.2.7", 4321],
    ["UNKNOWN", "PROXY UNKNOWN\r\n", "192.0.2.7", 4321],
  ])("%s says who the client is", (_claim, proxy, address, port) => {
    const sent = proxy + get;
    for (let size = 1; size <= sent.length; size++) {
      const engine = new FakeEngine(ask as never, open);
      const wire = engine.connect();
      wire.send(sent, size);
      expect(wire.text).toEndWith(JSON.stringify({ address, family: "IPv4", port }));
    }
  });

  test("and a method that begins like one is a method", () => {
    for (let size = 1; size <= 8; size++) {
      const engine = new FakeEngine(undefined, open);
      const wire = engine.connect();
      wire.send(get.replace("GET", "PROPFIND"), size);
      expect(engine.events).toEqual(["PROPFIND /ok"]);
    }
  });

  test.each<[claim: string, sent: string, options: FakeEngineOptions, status: number, log: string]>(
    [
      [
        "of a peer that may not",
        line,
        { config: { proxyProtocol: "auto", proxyAllowIps: [] } },
        403,
        "proxy_allow_ips",
      ],
      [
        "of another version",
        line,
        { config: { proxyProtocol: "v2", proxyAllowIps: ["*"] } },
        400,
        "version",
      ],
      ["that is wrong", "PROXY TCP4 nobody\r\n", open, 400, "Invalid PROXY line"],
      ["that is too long", `PROXY ${"x".repeat(200)}\r\n`, open, 400, "too long"],
      [
        "that is wrong in binary",
        "\r\n\r\n\0\r\nQUIT\n\x99\x11\x00\x0c",
        open,
        400,
        "Invalid PROXY header",
      ],
      ["where there is none", line, {}, 400, "Invalid request target"],
    ],
  )("%s is refused", (_claim, sent, options, status, log) => {
    for (const size of [1, 5, 1000]) {
      const engine = new FakeEngine(undefined, options);
      const wire = engine.connect();
      wire.send(sent + get, size);
      expect(statuses(wire.text)).toEqual([status]);
      expect(engine.lines.at(-1)).toContain(log);
      expect(engine.events).toEqual([]);
      expect(engine.told).toHaveLength(1);
    }
  });

  test("that comes too slowly is as good as a silent client", () => {
    const engine = new FakeEngine(undefined, open);
    const wire = engine.connect();
    wire.send("PROXY TCP4 ");
    expect(engine.ticksUntil(wire)).not.toBeNull();
    expect(wire.did).toEqual(["end"]);
  });
});

describe("log lines and addresses", () => {
  test("no warning tells of a client that had left before it was accepted: a health check may", () => {
    const options = { config: { proxyProtocol: "v1", proxyAllowIps: ["192.0.2.1"] } } as const;
    for (const [sent, why] of [
      ["PROXY TCP4 192.0.2.9 198.51.100.7 4321 443\r\n", "proxy_allow_ips"],
      ["nonsense\r\n\r\n", ""],
    ]) {
      const engine = new FakeEngine(undefined, options);
      const wire = engine.connect(new FakeWire(null));
      wire.send(sent as string);
      expect(engine.lines.at(-1)).toMatch(/^debug: Closing ip=: the client had left: /);
      expect(engine.lines.at(-1)).toContain(why as string);
    }
  });

  test("of a client on a unix socket have none", () => {
    const engine = new FakeEngine((request, server) => Response.json(server.requestIP(request)), {
      unix: true,
    });
    const wire = engine.connect(new FakeWire(null));
    wire.send(get);
    wire.send("nonsense\r\n\r\n");
    expect(wire.text).toContain("null");
    expect(engine.lines.at(-1)).toBe("warning: Invalid request from ip=: Invalid HTTP method");
  });
});

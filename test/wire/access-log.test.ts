/** One line for every answered request, and what it says: by real servers, read back by a strict pattern. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CombinedLine, parseCombined, unescapeText } from "../support/access-lines.ts";
import { until } from "../support/server.ts";
import {
  chunked,
  get,
  get10,
  head,
  kinds,
  post,
  requestText,
  rowsFor,
  useWire,
  type Wire,
  type WireRow,
} from "../support/wire.ts";

/** But those of requests that tests only need on their way. */
function linesOf({ server }: Wire): string[] {
  return readFileSync(join(server.folder, "access.log"), "utf8")
    .split("\n")
    .slice(0, -1)
    .filter((line) => !line.includes(" /waiting?") && !line.includes(" /open?"));
}

let marks = 0;

/** Of each server's lines, those that belong to no test any more. */
const settled = new WeakMap<Wire, number>();

/**
 * The lines that `run` leads to: as many as it says. A request that follows shows that there are no more; it waits for lines that
 * come by themselves.
 */
async function linesAfter(
  wire: Wire,
  run: () => Promise<number>,
  bySelf: "later" | "at once" = "at once",
): Promise<string[]> {
  const before = settled.get(wire) ?? (await markedLines(wire));
  const count = await run();
  if (bySelf === "later") await until("a line", () => linesOf(wire).length >= before + count);
  const after = await markedLines(wire);
  settled.set(wire, after);
  const lines = linesOf(wire).slice(before, after - 1);
  expect(lines).toHaveLength(count);
  return lines;
}

/** How many lines there are with one of our own at the end. */
async function markedLines(wire: Wire): Promise<number> {
  const mark = `/mark-${(marks += 1)}`;
  await wire.ask(get(mark));
  const isMark = (line: string) => line.includes(`${mark} `) || line.includes(`${mark}|`);
  await until(mark, () => linesOf(wire).some(isMark));
  return linesOf(wire).findIndex(isMark) + 1;
}

async function lineAfter(
  wire: Wire,
  run: () => Promise<unknown>,
  bySelf: "later" | "at once" = "at once",
): Promise<CombinedLine> {
  const once = async () => {
    await run();
    return 1;
  };
  const lines = await linesAfter(wire, once, bySelf);
  return parseCombined(lines[0] as string);
}

/** Waits until the app has been asked by a request that names the gate. */
async function asked(wire: Wire, gate: string): Promise<void> {
  const probe = async () => (await wire.ask(get(`/waiting?gate=${gate}`))).body.toString();
  await until(`a request at gate ${gate}`, async () => (await probe()) === "true");
}

interface AnswerRow extends WireRow {
  readonly request: string;
  readonly method?: string;
  readonly status: number;
  /** Null: as many as the answer's body has. */
  readonly bytes?: number | null;
  /** What `serve` says where it can't know. */
  readonly serveBytes?: string;
}

const answers: readonly AnswerRow[] = [
  { claim: "text", request: get("/"), status: 200 },
  { claim: "text with a query", request: get("/text?a=1&b=%22"), status: 200 },
  { claim: "JSON, in bytes", request: get("/json"), status: 200 },
  { claim: "bytes", request: get("/bytes"), status: 200 },
  { claim: "a Blob", request: get("/blob"), status: 200 },
  { claim: "no body", request: get("/nothing"), status: 200, bytes: 0 },
  { claim: "300,000 bytes", request: get("/large"), status: 200 },
  { claim: "POST", request: post("/text", "some text"), status: 200 },
  { claim: "HEAD", request: head("/"), method: "HEAD", status: 200, bytes: 0 },
  { claim: "HEAD of a stream", request: head("/stream"), method: "HEAD", status: 200, bytes: 0 },
  { claim: "204", request: get("/204"), status: 204, bytes: 0 },
  { claim: "304", request: get("/304"), status: 304, bytes: 0 },
  { claim: "404", request: get("/404"), status: 404 },
  { claim: "a stream", request: get("/stream"), status: 200, serveBytes: "-" },
  {
    claim: "a chunked request",
    request: `${requestText("POST", "/text", ["Transfer-Encoding: chunked"])}${chunked("ab", "cd")}`,
    status: 200,
  },
  { claim: "an app that throws", request: get("/throws"), status: 500 },
  { claim: "an app that gives no Response", request: get("/no-response"), status: 500 },
  { claim: "a stream that fails late", request: get("/fails-late"), status: 200, serveBytes: "-" },
  {
    claim: "a stream that fails at once",
    notServe: "Bun.serve has sent the head",
    request: get("/fails-early"),
    status: 500,
  },
  {
    claim: "HTTP/1.0",
    notServe: "it doesn't tell the version",
    request: get10("/stream"),
    status: 200,
  },
];

describe.each(kinds)("-k %s: the access log", (kind) => {
  const wire = useWire({ kind, app: "access.ts", args: ["--access-logfile", "access.log"] });

  test("of HTTP/1.0 without Host, whose target holds slashes", async () => {
    const line = await lineAfter(wire, async () => {
      // What the app makes of a URL that has no host is its own business.
      await wire.ask("GET /a//b?x=//c/d HTTP/1.0\r\n\r\n");
    });
    expect(line.request).toStartWith("GET /a//b?x=//c/d HTTP/1.");
  });

  test.each(rowsFor(kind, answers))("of %s", async (_, row) => {
    let size = -1;
    const line = await lineAfter(wire, async () => {
      const { status, body } = await wire.ask(row.request, row.method);
      expect(status).toBe(row.status);
      size = body.length;
    });
    const bytes = String(row.bytes ?? size);
    expect(line).toEqual({
      host: "127.0.0.1",
      user: "-",
      request: row.request.slice(0, row.request.indexOf("\r\n")),
      status: row.status,
      bytes: kind === "serve" ? (row.serveBytes ?? bytes) : bytes,
      referer: "-",
      userAgent: "-",
    });
  });

  test("of requests on one connection, and of none on it", async () => {
    const paths = ["/", "/404", "/text"];
    const lines = await linesAfter(wire, async () => {
      using client = await wire.connect();
      for (const path of paths) await client.ask(get(path));
      using silent = await wire.connect();
      silent.halfClose();
      await silent.ended();
      return paths.length;
    });
    expect(lines.map((line) => parseCombined(line).request.split(" ")[1])).toEqual(paths);
  });

  test("has 499 for a client that left before the answer", async () => {
    using client = await wire.connect();
    client.send(get("/waits-for-abort?gate=left", "User-Agent: gone"));
    await asked(wire, "left");
    const line = await lineAfter(wire, async () => client.reset(), "later");
    expect([line.status, line.bytes, line.host, line.userAgent]).toEqual([
      499,
      "0",
      "127.0.0.1",
      "gone",
    ]);
  });

  // Each at every place where a client can put text.
  const values = [
    `"`,
    "\\",
    '\\"',
    "\\x41",
    '" 200 1 "',
    "\xe9\xc3\xa9\xff",
    "\x1b[31m",
    "\x7f",
    "a\rb",
    "a\nb",
    "a\r\nb: c",
    "\x00",
    "%(h)s",
    "[x]",
    " ",
  ];
  const basic = (user: string) => Buffer.from(`${user}:secret`, "latin1").toString("base64");

  test.each(values)("keeps %j in its column", async (value) => {
    const places: Record<"request" | "referer" | "userAgent" | "user", string[]> = {
      request: [`GET /a${value}z HTTP/1.1`],
      referer: ["GET / HTTP/1.1", `Referer: a${value}z`],
      userAgent: ["GET / HTTP/1.1", `User-Agent: a${value}z`],
      user: ["GET / HTTP/1.1", `Authorization: Basic ${basic(`a${value}z`)}`],
    };
    const sent = Object.entries(places).map(([place, start]) => ({
      place: place as keyof typeof places,
      text: [...start, "Host: x", "Connection: close", "", ""].join("\r\n"),
    }));
    const answered: ((typeof sent)[number] & { status: number })[] = [];
    const lines = await linesAfter(wire, async () => {
      for (const { place, text } of sent) {
        const { status } = await wire.ask(text);
        // What Bun.serve refuses it doesn't tell.
        if (kind === "async" || status === 200) answered.push({ place, text, status });
      }
      return answered.length;
    });
    for (const [index, { place, text, status }] of answered.entries()) {
      const line = parseCombined(lines[index] as string);
      expect(line.status).toBe(status);
      // Bun.serve tells the URL, not the target.
      if (kind === "async") expect(unescapeText(line.request)).toBe(lineOf(text));
      if (status !== 200 || place === "request") continue;
      // A line end in a field begins another one.
      const whole = place === "user" ? `a${value}z`.split(":") : `a${value}z`.split("\r\n");
      expect(unescapeText(line[place])).toBe(whole[0] as string);
    }
  });
});

/** Up to the first line end of any sort. */
function lineOf(text: string): string {
  return text.split(/[\r\n]/, 1)[0] as string;
}

const rest = ["Host: x", "", ""].join("\r\n");

const refusals: readonly [claim: string, request: string, status: number][] = [
  ["a field without a colon", "GET /a?b HTTP/1.1\r\nHost x\r\n\r\n", 400],
  ["no Host", "GET / HTTP/1.1\r\n\r\n", 400],
  ["a wrong method", "get / HTTP/1.1\r\n\r\n", 400],
  ["no version", "GET /\r\n\r\n", 400],
  ["a wrong version", "GET / HTTP/x\r\n\r\n", 400],
  ["another version", "GET / HTTP/3.0\r\n\r\n", 505],
  ["the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\n", 400],
  ["a TLS handshake", "\x16\x03\x01\x02\x00\x01", 400],
  ["nonsense", 'GE"T \x1b\\ \xe9\r\n\r\n', 400],
  ["a bare LF", "GET / HTTP/1.1\nHost: x\n\n", 400],
  ["an empty line and nonsense", "\r\n?\r\n", 400],
  ["a bare CR", "\rGET / HTTP/1.1\r\n", 400],
  ["two lengths", `POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n${rest}`, 400],
  ["an unknown coding", `POST /x HTTP/1.1\r\nTransfer-Encoding: x\r\n${rest}`, 501],
  ["an expectation", `GET / HTTP/1.1\r\nExpect: wonders\r\n${rest}`, 417],
  ["a large body", `POST / HTTP/1.1\r\nContent-Length: 2000\r\n${rest}`, 413],
  ["a large field", `GET /f HTTP/1.1\r\nX: ${"x".repeat(10_000)}\r\n${rest}`, 431],
  ["a long line", `GET /${"x".repeat(9000)} HTTP/1.1\r\n${rest}`, 414],
];

describe("-k async: the access log", () => {
  const args = ["--access-logfile", "access.log", "--limit-request-body", "1000"];
  const wire = useWire({ kind: "async", app: "access.ts", args });
  // Of its own: on a loaded machine what comes byte by byte takes longer.
  const timeouts = ["--header-timeout", "1", "--body-timeout", "1"];
  const hasty = useWire({ kind: "async", app: "access.ts", args: [...args, ...timeouts] });

  test.each(refusals)("of %s", async (_, request, status) => {
    // As a whole, and byte by byte: then no more may have come than the first wrong byte.
    const forms = request.length > 1000 ? [[request]] : [[request], request.split("")];
    const sizes: number[] = [];
    const lines = await linesAfter(wire, async () => {
      for (const pieces of forms) {
        using client = await wire.connect();
        void client.sendPieces(pieces);
        const answer = await client.answer();
        expect(answer.status).toBe(status);
        sizes.push(answer.body.length);
      }
      return forms.length;
    });
    const sent = lineOf(request.replace(/^[\r\n]+/, "")).slice(0, 8190);
    for (const [index, text] of lines.entries()) {
      const line = parseCombined(text);
      const { bytes, host } = line;
      expect([line.status, bytes, host]).toEqual([status, String(sizes[index]), "127.0.0.1"]);
      const logged = line.request === "-" ? "" : unescapeText(line.request);
      if (index === 0) expect(logged).toBe(sent);
      else expect(sent).toStartWith(logged);
    }
  });

  const withAgent = "User-Agent: agent";
  const late: readonly [claim: string, request: string, status: number, agent: string][] = [
    ["a head that stands still", `GET /slow HTTP/1.1\r\n${withAgent}\r\n`, 408, "-"],
    ["a body that stands still", post("/text", "12345", withAgent).slice(0, -1), 408, "agent"],
    [
      "a body that breaks while the app reads it",
      `${requestText("POST", "/text", ["Transfer-Encoding: chunked", withAgent])}5\r\nhello\r\nzz\r\n`,
      400,
      "agent",
    ],
    [
      "a body that breaks while the app does something else",
      `${requestText("POST", "/waits?gate=b", ["Transfer-Encoding: chunked", withAgent])}zz\r\n`,
      400,
      "agent",
    ],
    [
      "a body over the limit",
      `${requestText("POST", "/text", ["Transfer-Encoding: chunked", withAgent])}${chunked("x".repeat(1001))}`,
      413,
      "agent",
    ],
  ];
  test.each(late)("has one line, with what was sent, of %s", async (_, request, status, agent) => {
    const line = await lineAfter(hasty, async () => {
      expect((await hasty.ask(request)).status).toBe(status);
      // What the app makes of it comes too late.
      await hasty.ask(get("/open?gate=b"));
    });
    expect([line.status, line.request, line.userAgent]).toEqual([status, lineOf(request), agent]);
  });

  test("has one line of a body that breaks behind the answer's head", async () => {
    const line = await lineAfter(wire, async () => {
      using client = await wire.connect();
      client.send(requestText("POST", "/waits-in-stream?gate=c", ["Transfer-Encoding: chunked"]));
      await client.seen("abc");
      client.send("zz\r\n");
      await wire.server.logged("Invalid chunk size");
      await wire.ask(get("/open?gate=c"));
      await client.ended();
    });
    expect([line.status, line.bytes]).toEqual([200, "3"]);
  });

  test("counts what was sent of a stream whose client has left", async () => {
    const line = await lineAfter(
      wire,
      async () => {
        using client = await wire.connect();
        client.send(get("/endless"));
        await client.seen("xxx");
        client.reset();
      },
      "later",
    );
    expect(line.status).toBe(200);
    expect(Number(line.bytes)).toBeGreaterThanOrEqual(10_000);
    expect(Number(line.bytes)).toBeLessThan(1_000_000_000);
  });

  test("of pipelined requests, in order", async () => {
    const paths = ["/1", "/stream", "/throws", "/2"];
    const lines = await linesAfter(wire, async () => {
      using client = await wire.connect();
      client.send(paths.map((path) => get(path)).join(""));
      for (const _ of paths) await client.answer();
      return paths.length;
    });
    expect(lines.map((line) => parseCombined(line).request.split(" ")[1])).toEqual(paths);
  });
});

describe.each(kinds)("-k %s: an access log of one's own format", (kind) => {
  const format = [
    "%(m)s %(U)s|%(q)s|%(s)05d|%({HOST}i)s|%({x-two}i)s|%({X-App}o)s|%({server}o)s",
    "%({remote_port}e)s|%({request_method}e)s|%({Path_Info}e)s|%({query_string}e)s",
    "%({server_name}e)s|%({server_port}e)s|%({server_protocol}e)s|%({script_name}e)s|",
    "%({wsgi.url_scheme}e)s|%({HTTP_X_TWO}e)s|%({content_type}e)s|%({http_none}e)s|%({HOME}e)s",
  ].join("|");
  const args = ["--access-logfile", "access.log", "--access-logformat", `%(r)s|${format}`];
  const wire = useWire({ kind, app: "access.ts", args });

  test("has all atoms", async () => {
    let port = 0;
    const [line] = await linesAfter(wire, async () => {
      using client = await wire.connect();
      port = client.port;
      await client.ask(get("/a%20b?c=d", "X-Two: 1", "X-Two: 2", "Content-Type: text/x"));
      return 1;
    });
    const joined = kind === "async" ? "1,2" : "1, 2";
    const own = ["GET /a%20b?c=d HTTP/1.1", "GET /a b", "c=d", "00200", "test"];
    const headers = [kind === "async" ? "2" : joined, 'a \\"quoted\\" text', "-"];
    const request = [String(port), "GET", "/a b", "c=d"];
    const server = ["127.0.0.1", String(wire.server.port), "HTTP/1.1", ""];
    const others = ["", "http", joined, "text/x", "-", "-"];
    expect(line?.split("|")).toEqual([own, headers, request, server, others].flat());
  });
});

describe("-k async: the access log behind a proxy", () => {
  const proxy = ["--proxy-protocol", "--proxy-allow-from", "*"];
  const trust = ["--forwarded-allow-ips", "*", "--forwarder-headers", "SCRIPT_NAME"];
  const format =
    "%(h)s %({remote_port}e)s %(U)s [%({script_name}e)s] [%({path_info}e)s] %(s)s %({wsgi.url_scheme}e)s";
  const args = ["--access-logfile", "access.log", "--access-logformat", `%(r)s ${format}`];
  const wire = useWire({ kind: "async", app: "access.ts", args: [...args, ...proxy, ...trust] });

  const rows: [claim: string, text: string, line: string][] = [
    [
      "a PROXY header",
      `PROXY TCP4 192.0.2.7 192.0.2.8 1234 80\r\n${get("/x")}`,
      "GET /x HTTP/1.1 192.0.2.7 1234 /x [] [/x] 200 http",
    ],
    ["a broken PROXY header", "PROXY x\r\n\r\n", "- 127.0.0.1 PORT - [] [-] 400 http"],
    [
      "a mounted app",
      get("/m/x", "SCRIPT_NAME: /m", "X-Forwarded-Proto: https"),
      "GET /m/x HTTP/1.1 127.0.0.1 PORT /m/x [/m] [/x] 200 https",
    ],
    [
      "the mount itself",
      get("/m", "SCRIPT_NAME: /m"),
      "GET /m HTTP/1.1 127.0.0.1 PORT /m [/m] [/] 200 http",
    ],
    [
      "a path outside",
      get("/n", "SCRIPT_NAME: /m"),
      "GET /n HTTP/1.1 127.0.0.1 PORT /n [] [/n] 500 http",
    ],
  ];
  test.each(rows)("of %s", async (_, text, expected) => {
    let port = 0;
    const lines = await linesAfter(wire, async () => {
      using client = await wire.connect();
      port = client.port;
      await client.ask(text);
      return 1;
    });
    expect(lines).toEqual([expected.replace("PORT", String(port))]);
  });
});

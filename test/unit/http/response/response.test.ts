import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { httpDate } from "../../../../src/http/response/head/date.ts";
import type { ResponseContext } from "../../../../src/http/response/head/head.ts";
import { installResponse } from "../../../../src/http/response/globals/install.ts";
import { lazyResponse } from "../../../../src/http/response/globals/lazy-response.ts";
import { OutputBuffer } from "../../../../src/http/response/output.ts";
import { encodeFixed, prepareResponse } from "../../../../src/http/response/response.ts";

installResponse();

const date = httpDate(784_111_777_000);

type Changes = Partial<ResponseContext>;

function context(changes: Changes = {}): ResponseContext {
  return { head: false, versionMinor: 1, keepAlive: true, date, request: null, ...changes };
}

/** Everything that is sent, with the constant fields left out; streams show what would be pumped. */
function sent(value: unknown, changes: Changes = {}): string {
  const prepared = prepareResponse(value, context(changes));
  if (prepared.type === "broken") return `broken: ${prepared.message}`;
  let text: string;
  if (prepared.type === "stream") {
    text = `${prepared.head}<${prepared.framing} ${prepared.length}>`;
  } else {
    const output = new OutputBuffer();
    encodeFixed(prepared, output);
    text = written(output);
  }
  const warning = prepared.warning === null ? "" : ` [${prepared.warning}]`;
  return (
    text.replace(`Server: gunicorn-ts\r\nDate: ${date}\r\n`, "@").replaceAll("\r\n", "|") + warning
  );
}

function written(output: OutputBuffer): string {
  const pieces: Buffer[] = [];
  output.writeTo({ write: (data) => pieces.push(Buffer.from(data)) && data.length });
  return Buffer.concat(pieces).toString("latin1");
}

const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-response-"));
const smallFile = join(folder, "small.html");
const largeFile = join(folder, "large.bin");
const emptyFile = join(folder, "empty.txt");

beforeAll(async () => {
  await Bun.write(smallFile, "<p>file</p>");
  await Bun.write(largeFile, new Uint8Array(300_000));
  await Bun.write(emptyFile, "");
});

afterAll(() => rmSync(folder, { recursive: true }));

function stream(...chunks: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(Buffer.from(chunk));
      controller.close();
    },
  });
}

async function* generator(): AsyncGenerator<string> {
  yield "a";
}

function withCookies(): Response {
  const response = new Response("x");
  response.headers.append("Set-Cookie", "a=1");
  response.headers.append("Set-Cookie", "b=2");
  response.headers.append("X-R", "1");
  response.headers.append("X-R", "2");
  return response;
}

const hopByHop = {
  Connection: "X-A, keep-alive",
  "Keep-Alive": "1",
  "Proxy-Authenticate": "a",
  "Proxy-Connection": "b",
  TE: "c",
  Trailer: "d",
  "Transfer-Encoding": "chunked",
  Upgrade: "e",
};

const text = "Content-Type: text/plain;charset=utf-8|";
const bytes = "Content-Type: application/octet-stream|";

const rows: [name: string, make: () => unknown, changes: Changes, expected: string][] = [
  ["string", () => new Response("hi"), {}, `HTTP/1.1 200 OK|@${text}Content-Length: 2||hi`],
  [
    "not ASCII",
    () => new Response("h\xe9"),
    {},
    `HTTP/1.1 200 OK|@${text}Content-Length: 3||h\xc3\xa9`,
  ],
  [
    "half a surrogate pair",
    () => new Response("\ud800"),
    {},
    `HTTP/1.1 200 OK|@${text}Content-Length: 3||\xef\xbf\xbd`,
  ],
  ["empty string", () => new Response(""), {}, "HTTP/1.1 200 OK|@Content-Length: 0||"],
  ["null", () => new Response(null), {}, "HTTP/1.1 200 OK|@Content-Length: 0||"],
  ["nothing", () => new Response(), {}, "HTTP/1.1 200 OK|@Content-Length: 0||"],
  [
    "a number",
    () => Reflect.construct(Response, [0]),
    {},
    `HTTP/1.1 200 OK|@${text}Content-Length: 1||0`,
  ],
  [
    "json",
    () => Response.json({ a: 1 }),
    {},
    'HTTP/1.1 200 OK|@content-type: application/json;charset=utf-8|Content-Length: 7||{"a":1}',
  ],
  [
    "json with a status",
    () => Response.json([], { status: 201 }),
    {},
    "HTTP/1.1 201 Created|@content-type: application/json;charset=utf-8|Content-Length: 2||[]",
  ],
  [
    "Uint8Array",
    () => new Response(new Uint8Array([65, 66])),
    {},
    `HTTP/1.1 200 OK|@${bytes}Content-Length: 2||AB`,
  ],
  [
    "ArrayBuffer",
    () => new Response(new ArrayBuffer(1)),
    {},
    `HTTP/1.1 200 OK|@${bytes}Content-Length: 1||\0`,
  ],
  [
    "URLSearchParams",
    () => new Response(new URLSearchParams("a=1")),
    {},
    "HTTP/1.1 200 OK|@content-type: application/x-www-form-urlencoded;charset=UTF-8|Content-Length: 3||a=1",
  ],
  [
    "Blob",
    () => new Response(new Blob(["x"], { type: "image/x" })),
    {},
    "HTTP/1.1 200 OK|@content-type: image/x|Content-Length: 1||x",
  ],
  [
    "large Blob",
    () => new Response(new Blob(["x".repeat(300_000)], { type: "a/b" })),
    {},
    "HTTP/1.1 200 OK|@content-type: a/b|Content-Length: 300000||<length 300000>",
  ],
  [
    "File in memory",
    () => new Response(new File(["x"], "n", { type: "a/b" })),
    {},
    "HTTP/1.1 200 OK|@content-type: a/b|Content-Length: 1||x",
  ],
  [
    "clone of a fixed one",
    () => new Response("hi").clone(),
    {},
    `HTTP/1.1 200 OK|@${text}Content-Length: 2||hi`,
  ],
  [
    "clone of bytes",
    () => new Response(new Uint8Array([65])).clone(),
    {},
    `HTTP/1.1 200 OK|@${bytes}Content-Length: 1||A`,
  ],
  [
    "subclass",
    () => new (class Mine extends Response {})("hi"),
    {},
    `HTTP/1.1 200 OK|@${text}Content-Length: 2||hi`,
  ],
  [
    "redirect",
    () => Response.redirect("http://x/y", 302),
    {},
    "HTTP/1.1 302 Found|@location: http://x/y|Content-Length: 0||",
  ],

  [
    "small file",
    () => new Response(Bun.file(smallFile)),
    {},
    "HTTP/1.1 200 OK|@content-type: text/html;charset=utf-8|Content-Length: 11||<p>file</p>",
  ],
  [
    "large file",
    () => new Response(Bun.file(largeFile)),
    {},
    'HTTP/1.1 200 OK|@content-type: application/octet-stream|content-disposition: inline; filename="large.bin"|Content-Length: 300000||<length 300000>',
  ],
  [
    "large file, HEAD",
    () => new Response(Bun.file(largeFile)),
    { head: true },
    'HTTP/1.1 200 OK|@content-type: application/octet-stream|content-disposition: inline; filename="large.bin"|Content-Length: 300000||',
  ],
  [
    "slice of a file",
    () => new Response(Bun.file(smallFile).slice(3, 7)),
    {},
    "HTTP/1.1 206 Partial Content|@content-type: text/html;charset=utf-8|content-range: bytes 3-6/*|Content-Length: 4||file",
  ],
  [
    "slice from the end",
    () => new Response(Bun.file(smallFile).slice(-4)),
    {},
    "HTTP/1.1 206 Partial Content|@content-type: text/html;charset=utf-8|content-range: bytes 7-10/*|Content-Length: 4||</p>",
  ],
  [
    "slice of a slice",
    () => new Response(Bun.file(smallFile).slice(3).slice(1, 4)),
    {},
    "HTTP/1.1 206 Partial Content|@content-type: text/html;charset=utf-8|content-range: bytes 4-6/*|Content-Length: 3||ile",
  ],
  [
    "slice with the app's range",
    () =>
      new Response(Bun.file(smallFile).slice(0, 3), {
        status: 206,
        headers: { "Content-Range": "bytes 0-2/11" },
      }),
    {},
    "HTTP/1.1 206 Partial Content|@content-range: bytes 0-2/11|content-type: text/html;charset=utf-8|Content-Length: 3||<p>",
  ],
  [
    "missing file",
    () => new Response(Bun.file("/nonexistent/file")),
    {},
    "broken: Can't send file /nonexistent/file",
  ],
  ["folder", () => new Response(Bun.file(tmpdir())), {}, `broken: Can't send file ${tmpdir()}`],

  [
    "stream",
    () => new Response(stream("a")),
    {},
    "HTTP/1.1 200 OK|@Transfer-Encoding: chunked||<chunked 0>",
  ],
  [
    "generator",
    () => Reflect.construct(Response, [generator()]),
    {},
    "HTTP/1.1 200 OK|@Transfer-Encoding: chunked||<chunked 0>",
  ],
  [
    "stream on 1.0",
    () => new Response(stream("a")),
    { versionMinor: 0 },
    "HTTP/1.1 200 OK|@Connection: close||<close 0>",
  ],
  [
    "stream with a length",
    () => new Response(stream("a"), { headers: { "Content-Length": "1" } }),
    {},
    "HTTP/1.1 200 OK|@Content-Length: 1||<length 1>",
  ],
  [
    "stream with a length on 1.0",
    () => new Response(stream("a"), { headers: { "Content-Length": "1" } }),
    { versionMinor: 0 },
    "HTTP/1.1 200 OK|@Connection: keep-alive|Content-Length: 1||<length 1>",
  ],
  [
    "stream with a bad length",
    () => new Response(stream("a"), { headers: { "Content-Length": "1, 1" } }),
    {},
    "HTTP/1.1 200 OK|@Transfer-Encoding: chunked||<chunked 0> [Content-Length is 1, 1, not a number]",
  ],
  [
    "stream with an encoding and a length",
    () =>
      new Response(stream("a"), { headers: { "Content-Encoding": "gzip", "Content-Length": "9" } }),
    {},
    "HTTP/1.1 200 OK|@content-encoding: gzip|Content-Length: 9||<length 9>",
  ],
  [
    "a node listener's stream with an encoding and a length",
    () =>
      lazyResponse({
        status: 200,
        statusText: "OK",
        fields: ["Content-Encoding", "br", "Content-Length", "9"],
        body: stream("a"),
      }),
    {},
    "HTTP/1.1 200 OK|@Content-Encoding: br|Content-Length: 9||<length 9>",
  ],
  [
    "a node listener's stream with an encoding and a bad length",
    () =>
      lazyResponse({
        status: 200,
        statusText: "OK",
        fields: ["Content-Encoding", "br", "Content-Length", "1, 1"],
        body: stream("a"),
      }),
    {},
    "HTTP/1.1 200 OK|@Content-Encoding: br|Transfer-Encoding: chunked||<chunked 0> [Content-Length is 1, 1, not a number]",
  ],
  [
    "stream, HEAD",
    () => new Response(stream("a")),
    { head: true },
    "HTTP/1.1 200 OK|@Transfer-Encoding: chunked||",
  ],

  ["HEAD", () => new Response("hi"), { head: true }, `HTTP/1.1 200 OK|@${text}Content-Length: 2||`],
  [
    "HEAD with the app's length",
    () => new Response(null, { headers: { "Content-Length": "9" } }),
    { head: true },
    "HTTP/1.1 200 OK|@Content-Length: 9||",
  ],
  [
    "closing",
    () => new Response("hi"),
    { keepAlive: false },
    `HTTP/1.1 200 OK|@Connection: close|${text}Content-Length: 2||hi`,
  ],
  [
    "1.0",
    () => new Response("hi"),
    { versionMinor: 0, keepAlive: false },
    `HTTP/1.1 200 OK|@Connection: close|${text}Content-Length: 2||hi`,
  ],
  [
    "1.0 kept alive",
    () => new Response("hi"),
    { versionMinor: 0 },
    `HTTP/1.1 200 OK|@Connection: keep-alive|${text}Content-Length: 2||hi`,
  ],

  [
    "204",
    () => new Response(null, { status: 204, headers: { "Content-Length": "0" } }),
    {},
    "HTTP/1.1 204 No Content|@|",
  ],
  [
    "204 with a body",
    () => new Response("x", { status: 204 }),
    {},
    "HTTP/1.1 204 No Content|@| [Body dropped: an answer with status 204 has none]",
  ],
  [
    "205",
    () => new Response(null, { status: 205 }),
    {},
    "HTTP/1.1 205 Reset Content|@Content-Length: 0||",
  ],
  [
    "304",
    () => new Response(null, { status: 304, headers: { "Content-Length": "5", ETag: '"q"' } }),
    {},
    'HTTP/1.1 304 Not Modified|@etag: "q"|Content-Length: 5||',
  ],
  [
    "304 without a length",
    () => new Response(null, { status: 304 }),
    {},
    "HTTP/1.1 304 Not Modified|@|",
  ],
  [
    "304 with a stream",
    () => new Response(stream("x"), { status: 304 }),
    {},
    "HTTP/1.1 304 Not Modified|@| [Body dropped: an answer with status 304 has none]",
  ],

  [
    "own type",
    () => new Response("x", { headers: { "Content-Type": "a/b" } }),
    {},
    "HTTP/1.1 200 OK|@content-type: a/b|Content-Length: 1||x",
  ],
  [
    "Latin-1 in a value",
    () => new Response("x", { headers: { "X-A": "\xe9" } }),
    {},
    `HTTP/1.1 200 OK|@x-a: \xe9|${text}Content-Length: 1||x`,
  ],
  [
    "repeated fields",
    withCookies,
    {},
    `HTTP/1.1 200 OK|@x-r: 1, 2|set-cookie: a=1|set-cookie: b=2|${text}Content-Length: 1||x`,
  ],
  [
    "hop-by-hop fields",
    () => new Response("x", { headers: hopByHop }),
    {},
    `HTTP/1.1 200 OK|@${text}Content-Length: 1||x`,
  ],
  [
    "app closes",
    () => new Response("x", { headers: { Connection: "a, Close" } }),
    {},
    `HTTP/1.1 200 OK|@Connection: close|${text}Content-Length: 1||x`,
  ],
  [
    "own Date and Server",
    () => new Response("x", { headers: { Date: "d", Server: "s" } }),
    {},
    `HTTP/1.1 200 OK|date: d|server: s|${text}Content-Length: 1||x`,
  ],
  [
    "own reason",
    () => new Response("x", { status: 404, statusText: "Gone fishing" }),
    {},
    `HTTP/1.1 404 Gone fishing|@${text}Content-Length: 1||x`,
  ],
  [
    "unsafe reason",
    () => new Response("x", { statusText: "A\r\nX: y" }),
    {},
    `HTTP/1.1 200 OK|@${text}Content-Length: 1||x`,
  ],
  [
    "reason that isn't ASCII",
    () => new Response("x", { statusText: "\xe9" }),
    {},
    `HTTP/1.1 200 OK|@${text}Content-Length: 1||x`,
  ],
  [
    "unregistered status",
    () => new Response("x", { status: 299 }),
    {},
    `HTTP/1.1 299 |@${text}Content-Length: 1||x`,
  ],
  [
    "length too small",
    () => new Response("xyz", { headers: { "Content-Length": "1" } }),
    {},
    `HTTP/1.1 200 OK|@Connection: close|${text}Content-Length: 3||xyz [Content-Length is 1, the body has 3 bytes]`,
  ],
  [
    "length too large",
    () => new Response(null, { headers: { "Content-Length": "5" } }),
    {},
    "HTTP/1.1 200 OK|@Connection: close|Content-Length: 0|| [Content-Length is 5, the body has 0 bytes]",
  ],
  [
    "length right",
    () => new Response("xyz", { headers: { "Content-Length": "3" } }),
    {},
    `HTTP/1.1 200 OK|@${text}Content-Length: 3||xyz`,
  ],

  ["undefined", () => undefined, {}, "broken: Expected a Response, got undefined"],
  ["a string instead", () => "x", {}, "broken: Expected a Response, got a string"],
  [
    "an object instead",
    () => new Map(),
    {},
    "broken: Expected a Response, got an object of class Map",
  ],
  [
    "Response.error()",
    () => Response.error(),
    {},
    "broken: A Response with status 0 can't be sent",
  ],
  [
    "101",
    () => new Response(null, { status: 101 }),
    {},
    "broken: A Response with status 101 can't be sent",
  ],
];

describe("prepareResponse()", () => {
  test.each(rows.map((row) => [row[0], row] as const))(
    "%s",
    (_name, [, make, changes, expected]) => {
      expect(sent(make(), changes)).toBe(expected);
    },
  );

  test("sends an empty file whole", () => {
    const prepared = prepareResponse(new Response(Bun.file(emptyFile)), context());
    expect(prepared.type).not.toBe("broken");
  });

  test("takes boundary and body of a form from the same Response", () => {
    const form = new FormData();
    form.append("a", "1");
    const answer = sent(new Response(form));
    const boundary = /boundary=([^|]+)/.exec(answer)?.[1] ?? "none";
    expect(answer).toContain(`||--${boundary}|`);
    expect(answer).toEndWith(`--${boundary}--|`);
  });

  test.each([
    ["string", () => new Response("x")],
    ["bytes", () => new Response(new Uint8Array(1))],
    ["json", () => Response.json(1)],
    ["stream", () => new Response(stream("a"))],
  ])("refuses to send a %s body twice, or after it was read", async (_name, make) => {
    const again = "broken: Response body already used: make a new Response for each request";
    const response = make();
    expect(sent(response)).not.toBe(again);
    if (response.bodyUsed || _name !== "stream") expect(sent(response)).toBe(again);
    const read = make();
    await read.text();
    expect(sent(read)).toBe(again);
  });

  test("sends a Response without a body as often as it likes", () => {
    const response = new Response(null);
    expect(sent(response)).toBe(sent(response));
  });

  test("cancels the stream of an answer to HEAD", () => {
    let cancelled = false;
    const body = new ReadableStream({
      cancel() {
        cancelled = true;
      },
    });
    prepareResponse(new Response(body), context({ head: true }));
    expect(cancelled).toBe(true);
  });

  test("refuses a locked stream", () => {
    const body = stream("a");
    const response = new Response(body);
    response.body?.getReader();
    expect(sent(response)).toStartWith("broken: ");
  });
});

describe("encodeFixed()", () => {
  test("gives up the memory of a copy, and nothing of the app's", async () => {
    const bytes = new Uint8Array(65_536).fill(120);
    const blob = new Blob([bytes]);
    class Mine extends Response {
      override bytes = () => Promise.resolve(bytes);
    }
    const original = new Response(bytes);
    const copy = original.clone();
    const lender = new Response(bytes);
    const lent = new Response(lender.body, lender);
    const copyOfLent = lent.clone();
    const lentBlob = new Response(blob);
    const answers = [
      original,
      new Response(bytes.buffer),
      new Response(blob),
      new Mine(bytes),
      lent,
      new Response(lentBlob.body, lentBlob),
    ];
    for (const answer of answers)
      expect(sent(answer).endsWith(`||${"x".repeat(65_536)}`)).toBe(true);
    expect(bytes.byteLength).toBe(65_536);
    for (const left of [copy, copyOfLent, blob]) {
      expect((await left.bytes()).every((byte) => byte === 120)).toBe(true);
    }
  });

  test("repeats a head only for the same answer", () => {
    const changes: Changes[] = [{}, { keepAlive: false }, { versionMinor: 0 }, { date: "later" }];
    const make = [
      () => new Response("a"),
      () => new Response("bb"),
      () => new Response("b", { status: 404 }),
      () => new Response(new Uint8Array(1)),
      () => new Response("a", { statusText: "Fine" }),
      () => new Response("a", { headers: { a: "b" } }),
    ];
    const once = changes.flatMap((change) => make.map((one) => sent(one(), change)));
    expect(new Set(once).size).toBe(once.length);
    const thrice = changes.flatMap((change) =>
      make.map((one) => [1, 2, 3].map(() => sent(one(), change)).at(-1)!),
    );
    expect(thrice).toEqual(once);
  });
});

describe("installResponse()", () => {
  test("leaves Response and Request as they were", () => {
    for (const [name, type] of [
      ["Response", Response],
      ["Request", Request],
    ] as const) {
      expect([type.name, type.length]).toEqual([name, 0]);
      expect(() => Reflect.apply(type as unknown as () => void, undefined, [])).toThrow(TypeError);
    }
    expect(new Response("x").constructor).toBe(Response);
    expect(Response.json({}) instanceof Response).toBe(true);
    expect(new Response("x").clone() instanceof Response).toBe(true);
    expect(Object.getOwnPropertyNames(Response).sort()).toEqual([
      "error",
      "json",
      "length",
      "name",
      "prototype",
      "redirect",
    ]);
    expect(Reflect.ownKeys(new Response("x"))).toEqual([]);
    expect(() => new Response("x", { status: 999 })).toThrow(RangeError);
  });

  test("lets classes extend them", () => {
    class Mine extends Response {
      extra = 1;
    }
    const mine = new Mine("x", { status: 201 });
    expect([mine instanceof Mine, mine instanceof Response, mine.status, mine.extra]).toEqual([
      true,
      true,
      201,
      1,
    ]);
    class Ask extends Request {}
    expect(new Ask("http://x/") instanceof Ask).toBe(true);
  });

  test("leaves ReadableStream as it was, direct streams for other readers included", async () => {
    const source = Object.freeze({
      type: "direct",
      pull(controller: { write(text: string): void }) {
        controller.write("again ");
      },
    });
    const native = new Response("x").body!.constructor;
    expect(native).toBe(ReadableStream);
    expect([ReadableStream.name, ReadableStream.length]).toEqual(["ReadableStream", 0]);
    expect(() => Reflect.apply(ReadableStream as never, undefined, [])).toThrow(TypeError);
    expect(() => new ReadableStream({ type: "direct", pull: 1 } as never)).toThrow(TypeError);
    expect(() => new ReadableStream({ type: "other" } as never)).toThrow();
    class Mine extends (ReadableStream as new (source: unknown) => ReadableStream) {}
    const mine = new Mine(source);
    expect([mine instanceof Mine, new Response("x").body instanceof ReadableStream]).toEqual([
      true,
      true,
    ]);
    const reader = mine.getReader();
    for (let count = 0; count < 3; count++) {
      expect(Buffer.from((await reader.read()).value).toString()).toBe("again ");
    }
    await reader.cancel();
  });

  test("a Response made of another's body is used up with it", async () => {
    const file = Bun.file(smallFile);
    for (const body of ["text", new Uint8Array(3), new Blob(["blob"]), file]) {
      const lender = new Response(body);
      const lent = new Response(lender.body, lender);
      expect([lender.bodyUsed, lent.bodyUsed]).toEqual([false, false]);
      expect(sent(lent)).toContain("|Content-Length: ");
      expect([lender.bodyUsed, lent.bodyUsed]).toEqual([true, true]);
      expect(sent(lender)).toStartWith("broken: ");
    }
  });

  test("knows what fetch() returns for a Response", async () => {
    using server = Bun.serve({ port: 0, fetch: () => new Response("x") });
    const response = await fetch(server.url);
    expect(response instanceof Response).toBe(true);
    expect(sent(response)).toContain("<length 1>");
  });
});

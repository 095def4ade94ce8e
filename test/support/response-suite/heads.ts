/** Statuses, reason phrases and fields. */
import type { SuiteRow } from "./rows.ts";

/** A Response with one field, or several. */
function fields(headers: Record<string, string>, status = 200): Response {
  return new Response("hello", { status, headers });
}

const status = (code: number, body: string | null = null) => new Response(body, { status: code });

export const statuses: readonly SuiteRow[] = [
  ...[
    200, 201, 202, 203, 206, 226, 299, 300, 400, 401, 404, 408, 413, 414, 416, 418, 421, 422, 500,
    503, 511, 599,
  ].map((code): SuiteRow => [`status ${code}`, () => status(code, "body")]),
  ...[201, 204, 205, 206, 304, 404, 500].map((code): SuiteRow => [
    `status ${code} without a body`,
    () => status(code),
  ]),
  ...[204, 205, 304].map((code): SuiteRow => [
    `status ${code} with a body`,
    () => status(code, "body"),
  ]),
  ...[204, 205, 304].map((code): SuiteRow => [
    `status ${code} with a stream`,
    () => new Response(new Blob(["body"]).stream(), { status: code }),
  ]),
  ...[204, 205, 304].map((code): SuiteRow => [
    `status ${code} with a Content-Length`,
    () => new Response(null, { status: code, headers: { "content-length": "5" } }),
  ]),
  ["status 304 with an ETag", () => new Response(null, { status: 304, headers: { etag: '"1"' } })],
  ["status 101", () => status(101)],
  ["status 199", () => status(199)],
  ["status 999", () => status(999, "body")],
  ["status 0", () => status(0)],
  ["Response.error()", () => Response.error()],
  ["a statusText of the app's own", () => new Response("hello", { statusText: "Fine" })],
  ["an empty statusText", () => new Response("hello", { status: 404, statusText: "" })],
  ["a statusText in Latin-1", () => new Response("hello", { statusText: "Tr\u00e8s bien" })],
  ["a statusText beyond Latin-1", () => new Response("hello", { statusText: "\u{1f600}" })],
  ["a statusText with a line end", () => new Response("hello", { statusText: "a\r\nx: y" })],
  [
    "a statusText for a status that nobody registered",
    () => new Response("hello", { status: 599, statusText: "Own" }),
  ],
  ...([undefined, 301, 303, 307, 308] as const).map((code): SuiteRow => [
    `Response.redirect()${code === undefined ? "" : ` with ${code}`}`,
    () => Response.redirect("/elsewhere?a=b c", code),
  ]),
  ["Response.redirect() with 200", () => Response.redirect("/elsewhere", 200)],
  [
    "Response.redirect() with an init",
    () => Response.redirect("https://other.example/", { status: 303, headers: { "x-own": "1" } }),
  ],
];

export const fieldRows: readonly SuiteRow[] = [
  ["Content-Length that is right", () => fields({ "content-length": "5" })],
  ["Content-Length that is too large", () => fields({ "content-length": "500" })],
  ["Content-Length that is too small", () => fields({ "content-length": "2" })],
  ["Content-Length that is no number", () => fields({ "content-length": "five" })],
  ["Content-Length that is empty", () => fields({ "content-length": "" })],
  ["Content-Length that is negative", () => fields({ "content-length": "-5" })],
  ["Content-Length with leading zeros", () => fields({ "content-length": "005" })],
  [
    "Content-Length without a body",
    () => new Response(null, { headers: { "content-length": "1234" } }),
  ],
  ["Content-Type", () => fields({ "content-type": "text/html" })],
  ["Content-Type that is empty", () => fields({ "content-type": "" })],
  ["Content-Type without a body", () => new Response(null, { headers: { "content-type": "a/b" } })],
  [
    "Content-Type that was deleted",
    () => {
      const response = Response.json({ a: 1 });
      response.headers.delete("content-type");
      return response;
    },
  ],
  [
    "Set-Cookie three times",
    () => {
      const response = new Response("hello");
      response.headers.append("Set-Cookie", "a=1; Path=/");
      response.headers.append("set-cookie", "b=2, with a comma");
      response.headers.append("SET-COOKIE", "a=3");
      return response;
    },
  ],
  [
    "Set-Cookie in pairs",
    () =>
      new Response("hello", {
        headers: [
          ["set-cookie", "a=1"],
          ["x-between", "1"],
          ["set-cookie", "b=2"],
        ],
      }),
  ],
  [
    "a field that is repeated",
    () =>
      new Response("hello", {
        headers: [
          ["x-list", "1"],
          ["X-List", "2"],
          ["vary", "a"],
          ["vary", "b"],
        ],
      }),
  ],
  [
    "names in odd case",
    () => new Response("hello", { headers: new Headers({ "X-oDD-cAse": "1", ETAG: '"2"' }) }),
  ],
  [
    "fields set after construction",
    () => {
      const response = new Response("hello", { headers: { "x-gone": "1", "x-kept": "1" } });
      response.headers.set("x-kept", "2");
      response.headers.set("x-new", "3");
      response.headers.delete("x-gone");
      return response;
    },
  ],
  [
    "a Headers object changed after construction",
    () => {
      const headers = new Headers({ "x-own": "1" });
      const response = new Response("hello", { headers });
      headers.set("x-own", "2");
      return response;
    },
  ],
  ["a field without a value", () => fields({ "x-empty": "" })],
  ["blanks around a value", () => fields({ "x-blank": " \t a  b \t " })],
  ["a tab inside a value", () => fields({ "x-tab": "a\tb" })],
  ["a value in Latin-1", () => fields({ "x-name": "caf\u00e9 \u00a0\u00ff" })],
  ["a value beyond Latin-1", () => fields({ "x-name": "\u20ac" })],
  ["a value with a line end", () => fields({ "x-name": "a\r\nx-split: yes" })],
  ["a value with a NUL", () => fields({ "x-name": "a\0b" })],
  ["a value with a control byte", () => fields({ "x-name": "a\u0001b\u007f" })],
  ["a value of 100 KiB", () => fields({ "x-long": "y".repeat(102_400) })],
  [
    "200 fields",
    () => fields(Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`x-${at}`, `${at}`]))),
  ],
  ["a bad field name", () => fields({ "a b": "1" })],
  ["Date", () => fields({ date: "Tue, 01 Jan 2030 00:00:00 GMT" })],
  ["Server", () => fields({ server: "own" })],
  ["Date and Server that are empty", () => fields({ date: "", server: "" })],
  ["Connection: close", () => fields({ connection: "close" })],
  ["Connection: Close in a list", () => fields({ connection: "x-own, Close", "x-own": "1" })],
  ["Connection: keep-alive", () => fields({ connection: "keep-alive" })],
  [
    "Connection: close without a body",
    () => new Response(null, { headers: { connection: "close" } }),
  ],
  ["Connection: upgrade", () => fields({ connection: "upgrade", upgrade: "websocket" })],
  ["Connection: close and keep-alive", () => fields({ connection: "close, keep-alive" })],
  ["Transfer-Encoding: chunked", () => fields({ "transfer-encoding": "chunked" })],
  ["Transfer-Encoding: gzip", () => fields({ "transfer-encoding": "gzip" })],
  [
    "Transfer-Encoding without a body",
    () => new Response(null, { headers: { "transfer-encoding": "chunked" } }),
  ],
  ["Keep-Alive", () => fields({ "keep-alive": "timeout=5" })],
  ["Upgrade", () => fields({ upgrade: "h2c" }, 426)],
  ["Trailer", () => fields({ trailer: "x-checksum" })],
  ["TE", () => fields({ te: "trailers" })],
  ["Proxy-Authenticate", () => fields({ "proxy-authenticate": "Basic" }, 407)],
  [
    "Content-Encoding",
    () =>
      new Response(Bun.gzipSync(Buffer.from("hello")), { headers: { "content-encoding": "gzip" } }),
  ],
  ["Content-Range", () => fields({ "content-range": "bytes 0-4/10" }, 206)],
  ["Accept-Ranges", () => fields({ "accept-ranges": "bytes" })],
  [
    "ETag and Last-Modified",
    () => fields({ etag: 'W/"1"', "last-modified": "Tue, 01 Jan 2030 00:00:00 GMT" }),
  ],
  ["Location", () => fields({ location: "/caf%C3%A9" }, 201)],
  [
    "Vary, Cache-Control and Allow",
    () => fields({ vary: "*", "cache-control": "no-store", allow: "GET, HEAD" }),
  ],
];

const read = new Response("read");
await read.text();

/** What an `error` hook answers badly, by the message of the error it is asked about. */
export const poorHooks = new Map<string, () => unknown>([
  ["an error hook that returns a missing file", () => new Response(Bun.file("missing.txt"))],
  ["an error hook that returns a Response that was read", () => read],
  ["an error hook that returns Response.error()", () => Response.error()],
  ["an error hook that returns undefined", () => undefined],
  [
    "an error hook that throws",
    () => {
      throw new Error("thrown by the hook");
    },
  ],
  [
    "an error hook that returns a stream that fails",
    () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.error(new Error("made by the hook"));
          },
        }),
      ),
  ],
]);

/** These are asked of an app with an `error` hook too. */
export const failures: readonly SuiteRow[] = [
  [
    "a handler that throws",
    () => {
      throw new Error("thrown");
    },
  ],
  [
    "a handler that throws text",
    () => {
      throw "only text";
    },
  ],
  [
    "a handler that throws undefined",
    () => {
      throw undefined;
    },
  ],
  [
    "a handler that throws a Response",
    () => {
      throw new Response("thrown", { status: 403 });
    },
  ],
  [
    "a handler that rejects at once",
    async () => {
      throw new Error("rejected");
    },
  ],
  [
    "a handler that rejects later",
    async () => {
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error("rejected later");
    },
  ],
  ...[...poorHooks.keys()].map((name): SuiteRow => [
    name,
    () => {
      throw new Error(name);
    },
  ]),
  ["a handler that returns an Error", () => new Error("returned")],
  ["undefined returned", () => undefined],
  ["a promise of undefined returned", async () => undefined],
  ["null returned", () => null],
  ["a string returned", () => "text"],
  ["a number returned", () => 404],
  ["a plain object returned", () => ({ status: 200, body: "text" })],
  ["a Headers returned", () => new Headers()],
  ["a ReadableStream returned", () => new ReadableStream()],
  [
    "a thenable returned",
    () =>
      // oxlint-disable-next-line unicorn/no-thenable -- that's the point
      ({ then: (resolve: (value: unknown) => void) => resolve(new Response("then")) }),
  ],
];

// One suite on two Requests: what Bun.serve gives, and ours. Where `ours` is set they differ on purpose.
import { describe, expect, test } from "bun:test";
import { RequestBody } from "../../../../src/http/request/body.ts";
import { limitsFrom } from "../../../../src/http/limits.ts";
import { RequestParser } from "../../../../src/http/syntax/parser.ts";
import {
  abortRequest,
  connectionClosedError,
  createRequest,
  requestOwner,
} from "../../../../src/http/request/request.ts";
import { installResponse } from "../../../../src/http/response/globals/install.ts";

installResponse();

type Probe = (request: Request) => unknown;

const quiet = { onFirstRead() {}, onPause() {}, onResume() {} };

/** The request as the connection would make it; the body arrives in two pieces, the second one later. */
function ours(bytes: string, owner: unknown = null): Request {
  const raw = Buffer.from(bytes, "latin1");
  const parser = new RequestParser(
    limitsFrom({ limitRequestLine: 4094, limitRequestFields: 100, limitRequestFieldSize: 8190 }),
  );
  expect(parser.feed(raw, 0, raw.length)).toBe("head");
  const content = raw.subarray(parser.consumed);
  const head = parser.takeHead();
  let body: RequestBody | null = null;
  if (head.contentLength > 0) {
    body = new RequestBody(quiet, head.contentLength);
    body.push(content.subarray(0, 2));
    setTimeout(() => {
      body?.push(content.subarray(2));
      body?.end();
    }, 1);
  }
  return createRequest(head, "http", "fallback:1", body, owner);
}

async function outcome(probe: Probe, request: Request): Promise<unknown> {
  try {
    const value = (await probe(request)) ?? null;
    return JSON.parse(JSON.stringify(value));
  } catch (error) {
    return { thrown: failure(error) };
  }
}

function failure(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  return [error.constructor.name, error.name, Reflect.get(error, "code") ?? null, error.message];
}

async function native(bytes: string, probe: Probe): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      resolve(await outcome(probe, request));
      return new Response("done");
    },
  });
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port ?? 0,
    socket: { data() {} },
  });
  socket.write(Buffer.from(bytes, "latin1"));
  const answer = await promise;
  socket.end();
  return answer;
}

const get = (extra = "", target = "/a?b=c", host = "example.com"): string =>
  `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${extra}\r\n`;
const post = (body = "hello", extra = "Content-Type: text/x\r\n"): string =>
  `POST /a HTTP/1.1\r\nHost: example.com\r\n${extra}Content-Length: ${body.length}\r\n\r\n${body}`;

const many = "X-R: 1\r\nCookie: a=1\r\nx-r: 2\r\nCOOKIE: b=2\r\nX-Empty:\r\nX-L: caf\xe9\r\n";
const multipart = '--x\r\nContent-Disposition: form-data; name="q"\r\n\r\nv\r\n--x--\r\n';

const used = async (request: Request): Promise<unknown[]> => [
  await request.text(),
  request.bodyUsed,
  await request.bytes().catch(failure),
  await request.json().catch(failure),
];

const rows: [name: string, bytes: string, probe: Probe, ours?: unknown][] = [
  ["is a Request", get(), (r) => [r instanceof Request, r.constructor === Request, String(r)]],
  ["has no own keys", get(), (r) => [Reflect.ownKeys(r).length, { ...r }, JSON.stringify(r)]],
  [
    "lists the same keys",
    get(),
    (r) => {
      const keys = [];
      for (const key in r) keys.push(key);
      return keys.sort();
    },
  ],
  [
    "has the same attributes",
    get(),
    (r) =>
      "cache credentials destination integrity keepalive mode redirect referrer referrerPolicy duplex"
        .split(" ")
        .map((key) => String(Reflect.get(r, key))),
  ],
  [
    "refuses assignment",
    get(),
    (r) => ["url", "method", "body"].map((key) => Reflect.set(r, key, "x")),
  ],
  [
    "gives the same objects again",
    post(),
    (r) => [r.headers === r.headers, r.body === r.body, r.signal === r.signal, r.url === r.url],
  ],
  ["shows itself", get(), (r) => Bun.inspect(r)],
  ["shows its headers", get(many), (r) => Bun.inspect(r.headers)],

  ["url: plain", get(), (r) => r.url],
  ["url: upper-case host", get("", "/", "EXAMPLE.com"), (r) => r.url],
  ["url: default port", get("", "/", "example.com:80"), (r) => r.url],
  ["url: port", get("", "/", "example.com:8080"), (r) => r.url],
  ["url: port with zeros", get("", "/", "example.com:0080"), (r) => r.url],
  ["url: IPv4", get("", "/", "127.0.0.1:99"), (r) => r.url],
  ["url: short IPv4", get("", "/", "127.1"), (r) => r.url],
  ["url: IPv6", get("", "/", "[::1]:99"), (r) => r.url],
  ["url: dots", get("", "/../b/./c/..%2e"), (r) => r.url],
  ["url: encoded dots", get("", "/a/%2E%2e/b"), (r) => r.url],
  ["url: two slashes", get("", "//evil/x"), (r) => r.url],
  ["url: backslash", get("", "/a\\b"), (r) => r.url],
  ["url: what URL encodes", get("", '/"<>`{}|^?"<>`{}|^\''), (r) => r.url],
  ["url: bad percent", get("", "/a%zz"), (r) => r.url],
  // RFC 9112 §3.2.2: Host is ignored; the scheme is never the client's to choose.
  ["url: absolute form", get("", "https://o:99/p?q"), (r) => r.url, "http://o:99/p?q"],
  ["url: absolute form without a path", get("", "http://other?q"), (r) => r.url, "http://other/?q"],

  [
    "headers: get",
    get(many),
    (r) => ["host", "HOST", "X-r", "cookie", "x-empty", "x-l", "no"].map((n) => r.headers.get(n)),
  ],
  ["headers: has", get(many), (r) => ["host", "X-R", "no"].map((n) => r.headers.has(n))],
  ["headers: entries", get(many), (r) => [...r.headers]],
  ["headers: keys and values", get(many), (r) => [[...r.headers.keys()], [...r.headers.values()]]],
  ["headers: toJSON and count", get(many), (r) => [r.headers.toJSON(), r.headers.count]],
  ["headers: bad name", get(), (r) => r.headers.get("a b")],
  ["headers: bad name for has", get(), (r) => r.headers.has("")],
  ["headers: no name", get(), (r) => Reflect.apply(r.headers.get, r.headers, [])],
  ["headers: half a pair", get(), (r) => Reflect.apply(r.headers.set, r.headers, ["x"])],
  ["headers: name that isn't text", get(), (r) => Reflect.apply(r.headers.get, r.headers, [null])],
  [
    "headers: forEach",
    get(many),
    (r) => {
      const seen: unknown[] = [];
      r.headers.forEach(function callback(this: unknown, value, key, parent) {
        seen.push([value, key, parent === r.headers, this]);
      }, 7);
      return seen;
    },
  ],
  [
    "headers: mutable",
    get(many),
    (r) => {
      r.headers.set("X-R", "3");
      r.headers.append("x-new", "4");
      r.headers.delete("cookie");
      return [[...r.headers], r.headers.get("x-r"), r.headers.has("cookie")];
    },
  ],
  [
    "headers: copied by native code",
    get(many),
    (r) => [
      [...new Headers(r.headers)],
      [...new Response("", { headers: r.headers }).headers],
      [...new Request("http://x/", { headers: r.headers }).headers],
    ],
  ],
  [
    "headers: are Headers",
    get(),
    (r) => [r.headers instanceof Headers, String(r.headers), Object.keys(r.headers)],
  ],

  ["no body", get(), async (r) => [r.body, r.bodyUsed, await r.text(), r.bodyUsed, await r.text()]],
  [
    "no body: bytes",
    get(),
    async (r) => [(await r.bytes()).length, (await r.arrayBuffer()).byteLength],
  ],
  ["no body: json", get(), (r) => r.json()],
  ["no body: formData", get(), (r) => r.formData()],
  ["no body: blob", get(), async (r) => (await r.blob()).size],
  ["no body: clone", get(), async (r) => [await r.clone().text(), await r.text()]],
  [
    "GET shows no body",
    get("Content-Length: 3\r\n") + "abc",
    async (r) => [r.body, r.bodyUsed, await r.text()],
  ],
  ["empty body", post(""), async (r) => [r.body, await r.text(), r.bodyUsed]],

  ["text twice", post(), used],
  ["text: BOM and bad UTF-8", post("\xef\xbb\xbfa\xff\xc3\xa9"), (r) => r.text()],
  ["json", post('{"a":[1]}'), (r) => r.json()],
  ["json: not", post("hello"), (r) => r.json()],
  [
    "bytes",
    post(),
    async (r) => {
      const bytes = await r.bytes();
      return [[...bytes], bytes.constructor.name];
    },
  ],
  ["bytes: own buffer", post(), async (r) => (await r.bytes()).buffer.byteLength],
  ["arrayBuffer", post(), async (r) => (await r.arrayBuffer()).byteLength],
  // Fetch §5.3: the type is the Content-Type. Bun.serve always says text/plain.
  [
    "blob",
    post(),
    async (r) => {
      const blob = await r.blob();
      return [blob.size, blob.type];
    },
    [5, "text/x"],
  ],
  [
    "formData: urlencoded",
    post("a=1&b=%20", "Content-Type: application/x-www-form-urlencoded\r\n"),
    async (r) => [...(await r.formData())],
  ],
  [
    "formData: multipart",
    post(multipart, "Content-Type: multipart/form-data; boundary=x\r\n"),
    async (r) => [...(await r.formData())],
  ],
  ["formData: wrong type", post(), (r) => r.formData()],

  [
    "body then text",
    post(),
    async (r) => [r.body?.locked, r.bodyUsed, await r.text(), r.bodyUsed, r.body?.locked],
  ],
  [
    "text then body",
    post(),
    async (r) => {
      const text = r.text();
      const { body } = r;
      return [body?.locked, r.bodyUsed, await text, body === r.body, r.body?.locked];
    },
  ],
  [
    "body read by a reader",
    post(),
    async (r) => {
      const reader = r.body?.getReader();
      const locked = r.bodyUsed;
      let text = "";
      for (;;) {
        const chunk = await reader?.read();
        if (chunk === undefined || chunk.done) break;
        text += Buffer.from(chunk.value).toString();
      }
      return [locked, text, r.bodyUsed, await r.text().catch(failure)];
    },
  ],
  [
    "body iterated",
    post(),
    async (r) => {
      let text = "";
      const classes = new Set<string>();
      for await (const chunk of r.body ?? []) {
        text += Buffer.from(chunk).toString();
        classes.add(chunk.constructor.name);
      }
      return [text, [...classes], r.bodyUsed];
    },
  ],
  [
    "body cancelled",
    post(),
    async (r) => [await r.body?.cancel("no"), r.bodyUsed, await r.text().catch(failure)],
  ],
  ["body as a Response's", post(), async (r) => [await new Response(r.body).text(), r.bodyUsed]],
  [
    "body in two branches",
    post(),
    async (r) => {
      const [one, two] = r.body?.tee() ?? [];
      return [r.bodyUsed, await new Response(one).text(), await new Response(two).text()];
    },
  ],
  [
    "textStream",
    post(),
    async (r) => {
      const stream = Reflect.apply(Reflect.get(r, "textStream"), r, []) as AsyncIterable<string>;
      let text = "";
      for await (const chunk of stream) text += chunk;
      return [text, r.bodyUsed];
    },
  ],

  [
    "clone",
    post(),
    async (r) => {
      const copy = r.clone();
      const before = [r.bodyUsed, copy.bodyUsed, copy instanceof Request];
      const texts = await Promise.all([copy.text(), r.text()]);
      return [before, texts, r.bodyUsed, copy.url, copy.method, [...copy.headers]];
    },
  ],
  [
    "clone twice",
    post(),
    async (r) => [await r.clone().text(), await r.clone().text(), await r.text()],
  ],
  [
    "clone, then body",
    post(),
    async (r) => [await r.clone().text(), await new Response(r.body).text()],
  ],
  ["clone after use", post(), async (r) => [await r.text(), r.clone()]],
  [
    "clone of a locked body",
    post(),
    (r) => {
      r.body?.getReader();
      return r.clone();
    },
  ],
  [
    "new Request(request)",
    post(),
    async (r) => {
      const copy = new Request(r);
      return [
        r.bodyUsed,
        copy.url,
        copy.method,
        [...copy.headers],
        await copy.text(),
        r.bodyUsed,
        await r.text(),
      ];
    },
  ],
  [
    "new Request(request, init)",
    post(),
    async (r) => {
      const copy = new Request(r, { method: "PUT", body: "other", headers: { a: "1" } });
      return [copy.method, [...copy.headers], await copy.text(), r.bodyUsed, await r.text()];
    },
  ],
  [
    "new Request(url, request)",
    post(),
    async (r) => {
      const copy = new Request("http://other/", r);
      return [copy.url, copy.method, [...copy.headers], await copy.text()];
    },
  ],
  // Fetch §5.4 step 43. Bun makes a Request without a body.
  [
    "new Request(used request)",
    post(),
    async (r) => [await r.text(), new Request(r)],
    { thrown: ["TypeError", "TypeError", null, "Body object should not be disturbed or locked"] },
  ],
  [
    "fetch(request)",
    post(),
    async (r) => {
      using echo = Bun.serve({
        port: 0,
        async fetch(request) {
          return Response.json([
            request.method,
            request.headers.get("content-type"),
            await request.text(),
          ]);
        },
      });
      return (await fetch(new Request(echo.url.href, r))).json();
    },
  ],
  ["signal", get(), (r) => [r.signal instanceof AbortSignal, r.signal.aborted]],
];

describe("createRequest() behaves as Bun.serve's Request", () => {
  test.each(rows.map((row) => [row[0], row] as const))("%s", async (_name, row) => {
    const [, bytes, probe, expected] = row;
    const mine = await outcome(probe, ours(bytes));
    if (expected === undefined) expect(mine).toEqual(await native(bytes, probe));
    else expect(mine).toEqual(expected);
  });
});

describe("createRequest()", () => {
  test("takes the fallback host without a Host, and with an empty one", () => {
    expect(ours("GET /x HTTP/1.0\r\n\r\n").url).toBe("http://fallback:1/x");
    expect(ours("GET /x HTTP/1.1\r\nHost:\r\n\r\n").url).toBe("http://fallback:1/x");
  });

  test("gives OPTIONS * a url without a path", () => {
    expect(ours("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").url).toBe("http://a/");
  });

  test("is fetched as it is", async () => {
    using echo = Bun.serve({
      port: 0,
      fetch: async (request) => new Response(await request.text()),
    });
    const text = post("hello", "").replace("example.com", `127.0.0.1:${echo.port}`);
    expect(await (await fetch(ours(text))).text()).toBe("hello");
  });

  test("knows its owner, and no other Request has one", () => {
    const owner = {};
    expect(requestOwner(ours(get(), owner))).toBe(owner);
    expect(requestOwner(new Request("http://x/"))).toBeUndefined();
  });
});

describe("abortRequest()", () => {
  test("aborts a signal that was touched before", async () => {
    const request = ours(get());
    const aborted = new Promise((resolve) => request.signal.addEventListener("abort", resolve));
    abortRequest(request, connectionClosedError());
    await aborted;
    expect(failure(request.signal.reason)).toEqual([
      "DOMException",
      "AbortError",
      20,
      "The connection was closed.",
    ]);
  });

  test("aborts a signal that is touched later, and a clone's", () => {
    const request = ours(get());
    const clone = request.clone();
    abortRequest(request, connectionClosedError());
    expect(request.signal.aborted).toBe(true);
    expect(clone.signal.aborted).toBe(true);
  });
});

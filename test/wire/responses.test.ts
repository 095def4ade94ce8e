import { describe, expect, test } from "bun:test";
import { type Answer, field, fieldValues } from "../support/raw-client.ts";
import { get, get10, head, kinds, rowsFor, useWire, type WireRow } from "../support/wire.ts";

interface Row extends WireRow {
  readonly request: string;
  readonly status?: number;
  readonly reason?: string;
  readonly body?: string | RegExp | number;
  readonly framing?: Answer["framing"];
  /** Where Bun.serve is free to frame otherwise. */
  readonly framingOfServe?: Answer["framing"];
  /** By name; null: must not stand. */
  readonly fields?: Readonly<Record<string, string | RegExp | null>>;
  readonly complete?: boolean;
  /** Whether the connection takes another request. */
  readonly kept?: boolean;
  /** What the error log of an async worker says. */
  readonly log?: RegExp;
}

const text = { "content-type": "text/plain;charset=utf-8" };
const ownPhrase = "Bun.serve knows its own reason phrases only";
const ownPolicy = "Bun.serve passes what the app has set";
const ownFraming = "Bun.serve doesn't compare a stream with the app's Content-Length";

const bodies: readonly Row[] = [
  { claim: "a string", request: get("/string"), body: "hello", framing: "length", fields: text },
  {
    claim: "text beyond ASCII is UTF-8 and counted in bytes",
    request: get("/utf8"),
    body: "h\u00c3\u00a9llo \u00f0\u009f\u0098\u0080",
    fields: { "content-length": "11" },
  },
  {
    claim: "bytes",
    request: get("/bytes"),
    body: "\0\u0001\u0002\u00ff",
    fields: { "content-type": "application/octet-stream" },
  },
  { claim: "an ArrayBuffer", request: get("/array-buffer"), body: "\t\b\u0007" },
  {
    claim: "a Blob, with its type",
    request: get("/blob"),
    body: "a blob",
    fields: { "content-type": "text/x-blob" },
  },
  {
    claim: "a small file",
    request: get("/file"),
    body: "a small file\n",
    framing: "length",
    fields: text,
  },
  {
    claim: "a file over 1 MiB",
    request: get("/large-file"),
    body: 1_500_000,
    framing: "length",
    fields: { "content-type": "application/octet-stream" },
  },
  {
    claim: "a missing file is a 500 with one log line",
    request: get("/missing-file"),
    status: 500,
    log: /\[ERROR\] Error handling request GET \/missing-file: Can't send file .*missing\n.*ENOENT/,
  },
  {
    claim: "FormData",
    request: get("/form"),
    body: /^------WebKitFormBoundary(?<id>\w+)\r\n[^]*name="name"\r\n\r\nvalue\r\n[^]*filename="file.txt"[^]*contents\r\n------WebKitFormBoundary\k<id>--\r\n$/,
    fields: { "content-type": /^multipart\/form-data; boundary=----WebKitFormBoundary\w+$/ },
  },
  {
    claim: "URLSearchParams",
    request: get("/params"),
    body: "a=1&b=x+y",
    fields: { "content-type": "application/x-www-form-urlencoded;charset=UTF-8" },
  },
  {
    claim: "Response.json",
    request: get("/json"),
    body: '{"ok":true,"text":"\u00c3\u00a9"}',
    fields: { "content-type": "application/json;charset=utf-8" },
  },
  {
    claim: "an empty string has a length and no type",
    request: get("/empty-string"),
    body: "",
    fields: { "content-length": "0", "content-type": null },
  },
  { claim: "no body", request: get("/none"), body: "", fields: { "content-length": "0" } },
  { claim: "a null body", request: get("/null"), body: "", fields: { "content-length": "0" } },
  { claim: "a clone", request: get("/clone"), body: "cloned" },
  { claim: "an answer made later", request: get("/async-string"), body: "later" },
  {
    claim: "a stream is chunked on 1.1",
    request: get("/stream"),
    body: "onetwothree",
    framing: "chunked",
    framingOfServe: "length",
  },
  {
    claim: "a stream ends with the connection on 1.0",
    request: get10("/slow-stream"),
    body: "onetwothree",
    framing: "close",
    fields: { "transfer-encoding": null },
    kept: false,
  },
  {
    claim: "a stream that takes its time",
    request: get("/slow-stream"),
    body: "onetwothree",
    framing: "chunked",
  },
  {
    claim: "an empty stream",
    request: get("/empty-stream"),
    body: "",
    framing: "chunked",
    framingOfServe: "length",
  },
  {
    claim: "an empty chunk doesn't end a stream",
    request: get("/stream-empty-chunk"),
    body: "onetwo",
    framing: "chunked",
    framingOfServe: "length",
  },
  {
    claim: "a stream of the app's Content-Length isn't chunked",
    request: get("/stream-length"),
    body: "onetwo",
    framing: "length",
    notServe: ownFraming,
  },
  {
    claim: "an async generator",
    request: get("/generator"),
    body: "onetwo",
    framing: "chunked",
  },
];

const heads: readonly Row[] = [
  {
    claim: "204 has no body and no length",
    request: get("/204"),
    status: 204,
    reason: "No Content",
    fields: { "content-length": null, "transfer-encoding": null },
  },
  { claim: "205 has the length 0", request: get("/205"), status: 205, body: "", framing: "length" },
  {
    claim: "304 has no body",
    request: get("/304"),
    status: 304,
    fields: { etag: '"1"', "content-length": null, "transfer-encoding": null },
  },
  {
    claim: "304 may state the length of what it stands for",
    request: get("/304-length"),
    status: 304,
    fields: { "content-length": "5" },
  },
  {
    claim: "HEAD has the fields of GET and no body",
    request: head("/string"),
    fields: { ...text, "content-length": "5" },
    notServe: "Bun.serve leaves the type of a string out",
  },
  { claim: "HEAD of text", request: head("/string"), fields: { "content-length": "5" } },
  { claim: "HEAD of a file", request: head("/file"), fields: { "content-length": "13" } },
  {
    claim: "HEAD of a large file",
    request: head("/large-file"),
    fields: { "content-length": "1500000" },
  },
  {
    claim: "HEAD of a stream",
    request: head("/slow-stream"),
    fields: { "transfer-encoding": "chunked", "content-length": null },
  },
  {
    claim: "HEAD of what the app has measured itself",
    request: head("/head-length"),
    fields: { "content-length": "1234" },
  },
  { claim: "404 with a body", request: get("/404"), status: 404, body: "not here" },
  {
    claim: "a statusText of the app's own",
    request: get("/teapot"),
    status: 418,
    reason: "Short And Stout",
    notServe: ownPhrase,
  },
  {
    claim: "a status that nobody registered",
    request: get("/599"),
    status: 599,
    reason: "",
    notServe: ownPhrase,
  },
  {
    claim: "a redirect",
    request: get("/redirect"),
    status: 303,
    fields: { location: "/elsewhere", "content-length": "0" },
  },
  {
    claim: "hop-by-hop fields of the app are dropped",
    request: get("/hop-by-hop"),
    body: "dropped",
    framing: "length",
    fields: {
      "keep-alive": null,
      "proxy-authenticate": null,
      te: null,
      "transfer-encoding": null,
      upgrade: null,
      connection: null,
      "x-kept": "yes",
    },
    notServe: ownPolicy,
  },
  {
    claim: "the app's Connection: close is heard",
    request: get("/close"),
    body: "bye",
    fields: { connection: /^close$/i },
    kept: false,
  },
  {
    claim: "Date and Server are sent",
    request: get("/string"),
    fields: {
      server: "gunicorn-ts",
      date: /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/,
    },
    notServe: "Bun.serve sends no Server",
  },
  {
    claim: "the app's own Date and Server win, and stand once",
    request: get("/own-date"),
    fields: { server: "own", date: "Tue, 01 Jan 2030 00:00:00 GMT" },
  },
  {
    claim: "the app's own type wins, and stands once",
    request: get("/typed"),
    fields: { "content-type": "text/html" },
  },
  {
    claim: "a value beyond ASCII is Latin-1",
    request: get("/latin1"),
    fields: { "x-name": "caf\u00e9" },
  },
  {
    claim: "a repeated field is one list",
    request: get("/cookies"),
    fields: { "x-list": "1, 2" },
  },
];

const failures: readonly Row[] = [
  {
    claim: "a right Content-Length of the app stands once",
    request: get("/right-length"),
    body: "hello",
    fields: { "content-length": "5" },
  },
  {
    claim: "a wrong Content-Length is put right, logged, and costs the connection",
    request: get("/wrong-length"),
    body: "hello",
    fields: { "content-length": "5", connection: "close" },
    kept: false,
    log: /\[ERROR\] Error handling request GET \/wrong-length: Content-Length is 500, the body has 5 bytes\n/,
    notServe: "Bun.serve puts it right in silence",
  },
  {
    claim: "a stream longer than its Content-Length is cut before the byte too many",
    request: get("/stream-too-long"),
    body: "one",
    framing: "length",
    complete: false,
    kept: false,
    log: /\[ERROR\] .*\/stream-too-long: Content-Length is 4, the body has more\n/,
    notServe: ownFraming,
  },
  {
    claim: "a stream shorter than its Content-Length closes the connection",
    request: get("/stream-too-short"),
    body: "onetwo",
    framing: "length",
    complete: false,
    kept: false,
    log: /\[ERROR\] .*\/stream-too-short: Content-Length is 10, the body has 6 bytes\n/,
    notServe: ownFraming,
  },
  {
    claim: "a stream that fails midway has no last chunk",
    request: get("/fail-midway"),
    body: "partpartpart",
    framing: "chunked",
    complete: false,
    kept: false,
    log: /\[ERROR\] .*\/fail-midway: The stream of the response failed\nError: the stream broke\n {4}at /,
  },
  {
    claim: "a stream that fails before its first chunk is a 500",
    request: get("/fail-at-once"),
    status: 500,
    framing: "length",
    log: /\[ERROR\] Error handling request GET \/fail-at-once\nError: the stream broke before its first chunk\n {4}at /,
    notServe: "Bun.serve closes the connection",
  },
];

describe.each(kinds)("-k %s: a Response of", (kind) => {
  const wire = useWire({ kind, app: "responses.ts" });

  test.each(rowsFor(kind, [...bodies, ...heads, ...failures]))("%s", async (_claim, row) => {
    const { request, status = 200, fields = {}, complete = true, kept = true } = row;
    const logBefore = wire.server.log.length;
    using client = await wire.connect();
    const answer = await client.ask(request, request.slice(0, request.indexOf(" ")));
    expect(answer.status).toBe(status);
    if (row.reason !== undefined) expect(answer.reason).toBe(row.reason);
    const framing = kind === "serve" ? (row.framingOfServe ?? row.framing) : row.framing;
    if (framing !== undefined) expect(answer.framing).toBe(framing);
    for (const [name, value] of Object.entries(fields)) {
      if (value instanceof RegExp) expect(field(answer, name)).toMatch(value);
      else expect([name, field(answer, name)]).toEqual([name, value]);
    }
    expectBody(answer, row.body);
    expect(answer.complete).toBe(complete);
    if (kept) {
      expect(field(answer, "connection")).toBeNull();
      const next = await client.ask(get("/string"));
      expect(next.body.toString()).toBe("hello");
    } else {
      expect(await client.ended()).toBeOneOf(complete ? ["fin"] : ["fin", "reset"]);
      expect(client.unread).toBe(0);
    }
    if (row.log !== undefined && kind === "async") await wire.server.logged(row.log, logBefore);
  });

  test("several Set-Cookie leave apart and in order", async () => {
    const answer = await wire.ask(get("/cookies"));
    expect(fieldValues(answer, "set-cookie")).toEqual(["a=1; Path=/", "b=2, with a comma"]);
  });
});

function expectBody({ body }: Answer, expected: Row["body"]): void {
  if (expected === undefined) return;
  if (typeof expected === "number") expect(body.length).toBe(expected);
  else if (typeof expected === "string") expect(body.toString("latin1")).toBe(expected);
  else expect(body.toString("latin1")).toMatch(expected);
}

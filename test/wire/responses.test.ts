import { describe, expect, test } from "bun:test";
import { fieldValues } from "../support/raw-client.ts";
import { expectResponse, type ResponseRow } from "../support/response-suite/row.ts";
import { columns, get, get10, head, rowsFor, useWire } from "../support/wire.ts";

const text = { "content-type": "text/plain;charset=utf-8" };
const ownPhrase = "Bun.serve knows its own reason phrases only";
const ownPolicy = "Bun.serve passes what the app has set";
const ownFraming = "Bun.serve doesn't compare a stream with the app's Content-Length";

const heads: readonly ResponseRow[] = [
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

const failures: readonly ResponseRow[] = [
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
    claim: "a stream that fails midway is no end of the body on 1.0 either",
    request: get10("/fail-midway"),
    framing: "close",
    complete: false,
    kept: false,
    log: /\[ERROR\] .*\/fail-midway: The stream of the response failed\n/,
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

describe.each(columns)("-k %s over %s: a Response", (kind, transport) => {
  const wire = useWire({ kind, transport, app: "responses.ts" });

  test.each(rowsFor(kind, [...heads, ...failures]))("%s", async (_claim, row) => {
    await expectResponse(wire, kind, row);
  });

  test("several Set-Cookie leave apart and in order", async () => {
    const answer = await wire.ask(get("/cookies"));
    expect(fieldValues(answer, "set-cookie")).toEqual(["a=1; Path=/", "b=2, with a comma"]);
  });
});

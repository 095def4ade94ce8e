import { describe, test } from "bun:test";
import { expectResponse, type ResponseRow } from "../support/response-suite/row.ts";
import { columns, get, get10, rowsFor, useWire } from "../support/wire.ts";

const text = { "content-type": "text/plain;charset=utf-8" };
const ownFraming = "Bun.serve doesn't compare a stream with the app's Content-Length";

const rows: readonly ResponseRow[] = [
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

describe.each(columns)("-k %s over %s: a Response of", (kind, transport) => {
  const wire = useWire({ kind, transport, app: "responses.ts" });

  test.each(rowsFor(kind, rows))("%s", async (_claim, row) => {
    await expectResponse(wire, kind, row);
  });
});

import { describe, expect, test } from "bun:test";
import type { RequestRecord } from "../../../../src/api/request-record.ts";
import { limitsFrom } from "../../../../src/http/limits.ts";
import { MessageReader } from "../../../../src/http/request/message-reader.ts";
import { EngineRecord } from "../../../../src/worker/records/engine-record.ts";

const limits = limitsFrom({ limitRequestLine: 0, limitRequestFields: 0, limitRequestFieldSize: 0 });
const client = {
  clientAddress: "192.0.2.7",
  address: { address: "192.0.2.7", family: "IPv4", port: 4321 },
  tls: null,
  peerCertificate: null,
} as const;
const server = {
  address: { address: "127.0.0.1", family: "IPv4", port: 8000 },
  port: 8000,
  protocol: "http",
} as const;

function readerOf(text: string): MessageReader {
  const reader = new MessageReader(limits);
  const bytes = Buffer.from(text, "latin1");
  reader.read(bytes, 0, bytes.length);
  return reader;
}

/** What `look` sees of one record. */
function seen<T>(tell: (record: EngineRecord) => void, look: (record: RequestRecord) => T): T[] {
  const all: T[] = [];
  tell(new EngineRecord([{ answered: (record) => void all.push(look(record)) }]));
  return all;
}

const text = `POST /app/a%20b?c=d HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nX-A: 2\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\n`;

function answered(change: { appTarget?: string; response?: Response } = {}) {
  const { head } = readerOf(text);
  head.appTarget = change.appTarget ?? null;
  const response = change.response ?? null;
  return (record: EngineRecord) =>
    record.answered({ head, scheme: "https", client, server, response, startedMs: -1 }, 200, 5);
}

describe("environ()", () => {
  test.each<[name: string, value: string | null]>([
    ["REQUEST_METHOD", "POST"],
    ["RAW_URI", "/app/a%20b?c=d"],
    ["SERVER_PROTOCOL", "HTTP/1.1"],
    ["PATH_INFO", "/app/a b"],
    ["QUERY_STRING", "c=d"],
    ["SCRIPT_NAME", ""],
    ["REMOTE_ADDR", "192.0.2.7"],
    ["REMOTE_PORT", "4321"],
    ["SERVER_NAME", "127.0.0.1"],
    ["SERVER_PORT", "8000"],
    ["wsgi.url_scheme", "https"],
    ["CONTENT_TYPE", "text/plain"],
    ["CONTENT_LENGTH", "3"],
    ["HTTP_HOST", "x"],
    ["HTTP_X_A", "1,2"],
    ["HTTP_NONE", null],
    ["NONE", null],
  ])("%s is %p", (name, value) => {
    expect(seen(answered(), (record) => record.environ(name))).toEqual([value]);
  });

  test("of a mounted app splits the path", () => {
    const look = (record: RequestRecord) => [
      record.environ("SCRIPT_NAME"),
      record.environ("PATH_INFO"),
    ];
    expect(seen(answered({ appTarget: "/a%20b?c=d" }), look)).toEqual([["/app", "/a b"]]);
  });
});

describe("a record", () => {
  test("says what was asked and answered", () => {
    const response = new Response("hello", { headers: { "x-b": "3" } });
    const look = (record: RequestRecord) => [
      record.method,
      record.target,
      record.protocol,
      record.status,
      record.bodyBytes,
      record.durationUs,
      record.requestHeader("x-a"),
      record.responseHeader("x-b"),
      record.responseHeader("x-c"),
    ];
    expect(seen(answered({ response }), look)).toEqual([
      ["POST", "/app/a%20b?c=d", "HTTP/1.1", 200, 5, 0, "2", "3", null],
    ]);
  });

  test.each<[sent: string | null, method: string, target: string, protocol: string]>([
    ["GET /a HTTP/1.1\r\nA b", "GET", "/a", "HTTP/1.1"],
    ["GET /a HT", "", "GET /a HT", ""],
    [text, "POST", "/app/a%20b?c=d", "HTTP/1.1"],
    ["", "", "", ""],
    [null, "", "", ""],
  ])("of %p, which was refused: %p %p %p", (sent, method, target, protocol) => {
    const reader = sent === null ? null : readerOf(sent);
    const refused = (record: EngineRecord) => record.refused({ client, server, reader }, 400, 9);
    const look = (record: RequestRecord) => [record.method, record.target, record.protocol];
    expect(seen(refused, look)).toEqual([[method, target, protocol]]);
  });

  test("of a unix socket has no addresses", () => {
    const nobody = { clientAddress: "", address: null, tls: null, peerCertificate: null };
    const { head } = readerOf(text);
    const tell = (record: EngineRecord) =>
      record.answered(
        {
          head,
          scheme: "http",
          client: nobody,
          server: { address: "/run/a.sock", port: undefined, protocol: "http" },
          response: null,
          startedMs: 0,
        },
        200,
        0,
      );
    const look = (record: RequestRecord) => [
      record.clientAddress,
      record.environ("REMOTE_PORT"),
      record.environ("SERVER_NAME"),
      record.environ("SERVER_PORT"),
    ];
    expect(seen(tell, look)).toEqual([["", null, "/run/a.sock", null]]);
  });

  test("keeps nothing of the last one", () => {
    const record = new EngineRecord([{ answered: () => {} }]);
    answered()(record);
    expect([record.requestHeader("x-a"), record.clientAddress]).toEqual([null, ""]);
  });
});

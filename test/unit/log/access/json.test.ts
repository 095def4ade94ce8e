import { expect, test } from "bun:test";
import { formatAccessJson } from "../../../../src/log/access/json.ts";
import { record } from "../../../support/access-lines.ts";

const parse = (given: Parameters<typeof record>[0]) => {
  const line = formatAccessJson(record(given));
  expect(line).not.toMatch(/[\r\n]/);
  return JSON.parse(line) as Record<string, unknown>;
};

const latin1 = (text: string) => Buffer.from(text).toString("latin1");

test("has the same fields in the same order, also of a request that says nothing", () => {
  const names = [
    ["time", "logger", "pid", "remote_addr", "user", "method", "path", "query"],
    ["protocol", "status", "bytes", "duration_us", "referer", "user_agent", "host"],
    ["tls_protocol", "tls_cipher", "tls_client", "trace_id", "span_id"],
  ].flat();
  const nothing = { method: "", target: "", protocol: "", clientAddress: "", bodyBytes: -1 };
  const headers = { referer: "r", "user-agent": "u", host: "h", authorization: "Basic YTpi" };
  expect(Object.keys(parse(nothing))).toEqual(names);
  const { time, ...full } = parse({ headers });
  expect(full).toEqual({
    logger: "gunicorn.access",
    pid: process.pid,
    remote_addr: "192.0.2.1",
    user: "a",
    method: "GET",
    path: "/path",
    query: "query=1",
    protocol: "HTTP/1.1",
    status: 200,
    bytes: 1234,
    duration_us: 1_234_567,
    referer: "r",
    user_agent: "u",
    host: "h",
    tls_protocol: null,
    tls_cipher: null,
    tls_client: null,
    trace_id: null,
    span_id: null,
  });
  expect(new Date(String(time)).toISOString()).toBe(String(time));
  const { user, method, path, query, bytes, remote_addr: address } = parse(nothing);
  expect([user, method, path, query, bytes, address]).toEqual([null, null, null, "", null, null]);
});

const texts: [claim: string, sent: string, shown: string][] = [
  ["quotes and control bytes", 'a"\\\r\n\x1b\x00', 'a"\\\r\n\x1b\x00'],
  ["UTF-8", latin1("é€😀\u2028"), "é€😀\u2028"],
  ["a byte order mark", latin1("\ufeffx"), "\ufeffx"],
  ["bytes that are no UTF-8", '\xe9"\\', '\\xe9\\"\\\\'],
];
test.each(texts)("%s", (_claim, sent, shown) => {
  const { user_agent: agent, query } = parse({
    target: `/?${sent}`,
    headers: { "user-agent": sent },
  });
  expect([agent, query]).toEqual([shown, shown]);
});

test("TLS is told", () => {
  const tls = { version: "TLSv1.3", cipher: "TLS_X", clientSubject: latin1('CN=é"') };
  const { tls_protocol: protocol, tls_cipher: cipher, tls_client: client } = parse({ tls });
  expect([protocol, cipher, client]).toEqual(["TLSv1.3", "TLS_X", 'CN=é"']);
});

test("a line that can't be read is the path", () => {
  const { method, path, protocol } = parse({ method: "", protocol: "", target: "\x16\x03" });
  expect([method, path, protocol]).toEqual([null, "\x16\x03", null]);
});

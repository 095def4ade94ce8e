import { describe, expect, test } from "bun:test";
import { ConfigError } from "../../../../src/api/errors.ts";
import type { RequestRecord } from "../../../../src/api/request-record.ts";
import { logging } from "../../../../src/config/settings/logging.ts";
import { compileAccessFormat } from "../../../../src/log/access/format.ts";
import { parseCombined, record, unescapeText } from "../../../support/access-lines.ts";

const broken = { method: "", protocol: "" };
const basic = (text: string) => `Basic ${Buffer.from(text, "latin1").toString("base64")}`;

describe("an atom", () => {
  const rows: [format: string, given: Parameters<typeof record>[0], line: string][] = [
    ["%(h)s", {}, "192.0.2.1"],
    ["%(h)s", { clientAddress: "" }, "-"],
    ["%(l)s", {}, "-"],
    ["%(r)s", {}, "GET /path?query=1 HTTP/1.1"],
    ["%(r)s", { target: '/"\\' }, 'GET /\\"\\\\ HTTP/1.1'],
    ["%(r)s", { ...broken, target: "" }, "-"],
    ["%(r)s", { ...broken, target: "\x16\x03\x01" }, "\\x16\\x03\\x01"],
    ["%(m)s %(H)s", {}, "GET HTTP/1.1"],
    ["%(m)s %(H)s %(U)s|%(q)s|", { ...broken, target: "nonsense?" }, "- - -||"],
    ["%(U)s|%(q)s", {}, "/path|query=1"],
    ["%(U)s|%(q)s", { target: "/" }, "/|"],
    ["%(U)s|%(q)s", { target: "/a?b?c" }, "/a|b?c"],
    ["%(U)s", { target: "/a%20b%22%5c%0A%c3%A9%zz%" }, '/a b\\"\\\\\\x0a\\xc3\\xa9%zz%'],
    ["%(U)s|%(q)s", { target: "http://example.com/a?b" }, "/a|b"],
    ["%(U)s", { target: "http://example.com" }, "/"],
    ["%(U)s", { target: "http://example.com?a/b" }, "/"],
    ["%(U)s", { method: "OPTIONS", target: "*" }, "*"],
    ["%(U)s", { method: "CONNECT", target: "example.com:80" }, "example.com:80"],
    ["%(s)s", { status: 404 }, "404"],
    ["%(B)s %(b)s", { bodyBytes: 0 }, "0 0"],
    ["%(B)s %(b)s", { bodyBytes: -1 }, "-1 -"],
    ["%(f)s %(a)s", {}, "- -"],
    ["%(f)s %(a)s", { headers: { referer: "r", "user-agent": "u" } }, "r u"],
    ["%(f)s|%(a)s", { headers: { referer: "", "user-agent": "" } }, "|"],
    ["%(T)s %(M)s %(D)s %(L)s", {}, "1 1234 1234567 1.234567"],
    ["%(T)s %(M)s %(D)s %(L)s", { durationUs: 42 }, "0 0 42 0.000042"],
    ["%(T)s %(L)s", { durationUs: 90_000_000_001 }, "90000 90000.000001"],
    ["%(p)s", {}, `<${process.pid}>`],
    ["%({X-One}i)s", { headers: { "x-one": "1" } }, "1"],
    ["%({SSL_PROTOCOL}x)s %({ssl_cipher}x)s %({Ssl_Client_S_DN}x)s", {}, "- - -"],
    [
      "%({SSL_PROTOCOL}x)s %({ssl_cipher}x)s %({Ssl_Client_S_DN}x)s",
      { tls: { version: "TLSv1.3", cipher: "TLS_X", clientSubject: 'CN=\xc3"' } },
      'TLSv1.3 TLS_X CN=\\xc3\\"',
    ],
    [
      "%({SSL_CLIENT_S_DN}x)s",
      { tls: { version: "TLSv1.3", cipher: "TLS_X", clientSubject: null } },
      "-",
    ],
    ["%({x-none}i)s", {}, "-"],
    ["%({Content-Type}o)s", { answerHeaders: { "content-type": "a/b" } }, "a/b"],
    ["%({x}o)s", { answerHeaders: { x: "\u00e9\u20ac" } }, "\\xe9\\xe2\\x82\\xac"],
    ["%({remote_port}e)s", { variables: { REMOTE_PORT: "80" } }, "80"],
    ["%({WSGI.url_scheme}e)s", { variables: { "wsgi.url_scheme": "http" } }, "http"],
    ["%({nothing}e)s", {}, "-"],
    ["%(u)s", { headers: { authorization: basic("alice:secret") } }, "alice"],
    ["%(u)s", { headers: { authorization: basic("alice:a:b").replace("B", "b") } }, "alice"],
    [
      "%(u)s",
      { headers: { authorization: basic('a "\\\n\u00e9:x') } },
      "a\\x20\\x22\\\\\\x0a\\xe9",
    ],
    ["%(u)s", { headers: { authorization: basic('\\"[]:x') } }, "\\\\\\x22\\x5b]"],
    ["%(u)s", { headers: { authorization: basic("alice") } }, "-"],
    ["%(u)s", { headers: { authorization: basic(":secret") } }, "-"],
    ["%(u)s", { headers: { authorization: "Basic YWxpY2U6c2VjcmV" } }, "-"],
    ["%(u)s", { headers: { authorization: "Basic =" } }, "-"],
    ["%(u)s", { headers: { authorization: "Bearer YTpi" } }, "-"],
    ["%(u)s", { headers: { authorization: "" } }, "-"],
    ["%(u)s", {}, "-"],
  ];
  test.each(rows)("%s, row %#", (format, given, line) => {
    expect(compileAccessFormat(format)(record(given))).toBe(line);
  });

  test.each(rows)("%s, of a head that comes again, row %#", (format, given, line) => {
    const render = compileAccessFormat(format);
    const notes: string[] = [];
    compileAccessFormat('"%(r)s" %(a)s')(record({ ...given, notes }));
    for (let time = 0; time < 3; time++) expect(render(record({ ...given, notes }))).toBe(line);
  });

  test("what doesn't stand in a head is looked at each time", () => {
    const render = compileAccessFormat(
      "%(h)s %(l)s %(s)s %(B)s %(b)s %(D)s %({x}o)s %({x}e)s %({SSL_CIPHER}x)s %({TRACE_ID}x)s",
    );
    const notes: string[] = [];
    const lines = ["a", "b", "a"].map((text, index) =>
      render(
        record({
          notes,
          clientAddress: text,
          status: index,
          bodyBytes: index,
          durationUs: index,
          answerHeaders: { x: text },
          variables: { X: text },
          tls: { version: text, cipher: text, clientSubject: text },
          trace: { traceId: text, spanId: text } as RequestRecord["trace"] & object,
        }),
      ),
    );
    expect(lines).toEqual(["a - 0 0 0 0 a a a a", "b - 1 1 1 1 b b b b", "a - 2 2 2 2 a a a a"]);
  });

  test("t is now, in the zone of the machine", () => {
    const before = Date.now();
    const time = compileAccessFormat("%(t)s")(record());
    const found = /^\[(\d\d)\/(\w{3})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})\]$/.exec(time);
    const [, day, month, year, clock, zone] = found ?? [];
    const ms = Date.parse(`${day} ${month} ${year} ${clock} ${zone}`);
    expect(ms).toBeGreaterThanOrEqual(before - 1000);
    expect(ms).toBeLessThanOrEqual(Date.now());
  });

  test.each([
    ["Asia/Kolkata", "+0530"],
    ["America/St_Johns", "-0[23]30"],
    ["UTC", "+0000"],
  ])("t in %s", (zone, offset) => {
    const module = `${import.meta.dir}/../../../../src/log/access/format.ts`;
    const script = `const { compileAccessFormat } = await import(${JSON.stringify(module)});
console.log(compileAccessFormat("%(t)s")({}))`;
    const { stdout } = Bun.spawnSync([process.execPath, "-e", script], { env: { TZ: zone } });
    expect(stdout.toString()).toMatch(new RegExp(` ${offset.replace("+", "\\+")}\\]\n$`));
  });
});

describe("a conversion", () => {
  const rows: [format: string, line: string][] = [
    ["", ""],
    ["plain", "plain"],
    ["100%% %(s)s%%", "100% 200%"],
    ["%(s)d", "200"],
    ["%(s)5d|", "  200|"],
    ["%(s)05d|", "00200|"],
    ["%(s)-5d|", "200  |"],
    ["%(s)-05d|", "200  |"],
    ["%(s)2d|", "200|"],
    ["%(m)6s|%(m)-6s|", "   GET|GET   |"],
    ["%(B)d %(b)d %(T)d %(D)d %(M)d", "1234 1234 1 1234567 1234"],
    ["%(s)s\t%(s)s", "200\t200"],
  ];
  test.each(rows)("%p", (format, line) => {
    expect(compileAccessFormat(format)(record())).toBe(line);
  });

  test("a number that isn't known keeps its sign in front of zeros", () => {
    expect(compileAccessFormat("%(B)05d")(record({ bodyBytes: -1 }))).toBe("-0001");
  });
});

describe("a line doesn't depend on those before it", () => {
  const format = '%(h)s %(l)s %(u)s %(s)s "%(r)s" %(D)s %(b)s "%(f)s" "%(a)s" %(m)s%(q)s end';
  // Which of so many requests comes at each step.
  const orders: [claim: string, choose: (step: number) => number][] = [
    ["the same again and again", () => 0],
    ["two in turn", (step) => step % 2],
    ["each three times", (step) => Math.trunc(step / 3)],
    ["all differ", (step) => step],
    ["all differ, then one", (step) => (step < 100 ? step : 7)],
    ["one, then all differ, then one", (step) => (step > 50 && step < 120 ? step : 7)],
  ];
  const requestOf = (number: number) =>
    record({
      clientAddress: `192.0.2.${number % 5}`,
      status: 200 + (number % 3),
      target: number % 4 === 0 ? "/" : `/item/${number}?"\\`,
      durationUs: number % 7,
      bodyBytes: number,
      headers: number % 2 === 0 ? {} : { referer: `r${number % 11}`, "user-agent": "u" },
    });

  test.each(orders)("%s", (_, choose) => {
    const shared = compileAccessFormat(format);
    for (let step = 0; step < 200; step++) {
      const number = choose(step);
      const fresh = compileAccessFormat(format);
      // Another request in between: what a fresh one makes of it isn't from memory.
      fresh(requestOf(number + 1));
      expect([step, shared(requestOf(number))]).toEqual([step, fresh(requestOf(number))]);
    }
  });
});

describe("a format that is refused", () => {
  const rows: [format: string, message: string][] = [
    ["%({SSL_SERVER_S_DN}x)s", "unknown atom %({SSL_SERVER_S_DN}x)s at position 1: must be h, "],
    ["%(h)s %(x)s", "unknown atom %(x)s at position 7: must be h, l, u, "],
    ["%(hh)s", "unknown atom %(hh)s at position 1"],
    ["%()s", "unknown atom %()s at position 1"],
    ["%({}i)s", "unknown atom %({}i)s at position 1"],
    ["%({x}z)s", "unknown atom %({x}z)s at position 1"],
    ["%(constructor)s", "unknown atom %(constructor)s at position 1"],
    ["a %(h", "an unclosed %( at position 3"],
    ["%(h)", "no conversion behind %(h) at position 5"],
    ["%(h)x", "no conversion behind %(h) at position 5"],
    ["%(h) s", "no conversion behind %(h) at position 5"],
    ["%(D)5.1d", "no conversion behind %(D) at position 5"],
    ["%(D)9999d", "no conversion behind %(D) at position 5"],
    ["%(h)d", "%(h)d isn't a number at position 1"],
    ["%({x}i)d", "%({x}i)d isn't a number at position 1"],
    ["%(h)05s", "a flag 0 in %(h)05s at position 1"],
    ["50 % of", "a % that begins no atom at position 4"],
    ["%h", "a % that begins no atom at position 1"],
    ["%", "a % that begins no atom at position 1"],
    ["%(h)s\n", "a line end at position 6"],
    ["\r%(h)s", "a line end at position 1"],
  ];
  test.each(rows)("%p", (format, message) => {
    const compile = () => compileAccessFormat(format);
    expect(compile).toThrow(ConfigError);
    expect(compile).toThrow(`accessLogFormat: ${message}`);
  });
});

describe("the default format", () => {
  const format = compileAccessFormat(logging.accessLogFormat.default);
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join("");

  test("keeps every byte, on one line, between its quotes", () => {
    const user = bytes.replace(":", "");
    const line = format(
      record({
        target: bytes,
        headers: { referer: bytes, "user-agent": bytes, authorization: basic(`${user}:x`) },
      }),
    );
    const parsed = parseCombined(line);
    expect(unescapeText(parsed.request)).toBe(`GET ${bytes} HTTP/1.1`);
    expect(unescapeText(parsed.referer)).toBe(bytes);
    expect(unescapeText(parsed.userAgent)).toBe(bytes);
    expect(unescapeText(parsed.user)).toBe(user);
  });

  test("is Gunicorn's", () => {
    const headers = { referer: "http://example.com/", "user-agent": "curl/8" };
    expect(format(record({ headers })).replace(/\[[^\]]*\]/, "[]")).toBe(
      `192.0.2.1 - - [] "GET /path?query=1 HTTP/1.1" 200 1234 "http://example.com/" "curl/8"`,
    );
  });
});

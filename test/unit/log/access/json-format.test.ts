import { describe, expect, test } from "bun:test";
import { ConfigError } from "../../../../src/api/errors.ts";
import { atoms } from "../../../../src/log/access/atoms.ts";
import { compileAccessFormat } from "../../../../src/log/access/format.ts";
import { readFormatter } from "../../../../src/log/python/formatters.ts";
import { record } from "../../../support/access-lines.ts";

const utf8Bytes = (text: string) => Buffer.from(text).toString("latin1");
const basic = (text: string) => `Basic ${Buffer.from(text, "latin1").toString("base64")}`;

describe("an access_log_format that is a JSON object", () => {
  const rows: [format: string, given: Parameters<typeof record>[0], value: unknown][] = [
    ['{"p":"%(U)s"}', { target: "/caf%C3%A9" }, { p: "/café" }],
    ['{"p":"%(U)s"}', { target: "/%22%5c%0a%00" }, { p: '/"\\\n\0' }],
    ['{"p":"%(U)s"}', { target: "/%ff" }, { p: "/\\xff" }],
    ['{"r":"%(r)s"}', { target: '/"\\' }, { r: 'GET /"\\ HTTP/1.1' }],
    ['{"r":"%(r)s"}', { method: "", protocol: "", target: "\x16\x03" }, { r: "\x16\x03" }],
    [
      '{"a":"%(a)s"}',
      { headers: { "user-agent": utf8Bytes("\u{1f600} é") } },
      { a: "\u{1f600} é" },
    ],
    ['{"a":"%(a)s"}', {}, { a: "-" }],
    ['{"a":%(a)s}', {}, { a: null }],
    ['{"a":%(a)s}', { headers: { "user-agent": 'x "y"' } }, { a: 'x "y"' }],
    ['{"a":"%(a)8s|%(a)-8s"}', { headers: { "user-agent": '"' } }, { a: '       "|"       ' }],
    ['{"b":%(b)s, "B":%(B)s}', { bodyBytes: -1 }, { b: null, B: -1 }],
    ['{"b":%(b)s, "B":%(B)9d}', { bodyBytes: 12 }, { b: 12, B: 12 }],
    ['{"b":"%(b)s"}', { bodyBytes: -1 }, { b: "-" }],
    ['{"D":%(D)s,"L":%(L)s,"z":"%(D)09d"}', {}, { D: 1_234_567, L: 1.234567, z: "001234567" }],
    [
      '{"u":"%(u)s"}',
      { headers: { authorization: basic('a "\\\n\xff:x') } },
      { u: 'a \\"\\\\\\x0a\\xff' },
    ],
    ['{"o":"%({x}o)s"}', { answerHeaders: { x: "Łé€\ud800" } }, { o: "Łé€\ud800" }],
    ['{"%(m)s":["100%%", {"s":%(s)s}]}', { status: 204 }, { GET: ["100%", { s: 204 }] }],
    ['{"q\\"":"\\\\%(q)s"}', { target: '/?"' }, { 'q"': '\\"' }],
  ];
  test.each(rows)("%s, row %#", (format, given, value) => {
    expect(JSON.parse(compileAccessFormat(format)(record(given)))).toEqual(value);
  });

  test.each([
    ['{%(h)s} "%(r)s"', '{192.0.2.1} "GET /\\" HTTP/1.1"'],
    ['[%(s)s] "%(r)s"', '[200] "GET /\\" HTTP/1.1"'],
    ['{"a":1%(s)s}', '{"a":1200}'],
    ['{"r":"%(r)s",}', '{"r":"GET /\\" HTTP/1.1",}'],
  ])("%s isn't one, and is written as before", (format, line) => {
    expect(compileAccessFormat(format)(record({ target: '/"', status: 200 }))).toBe(line);
  });

  test("zeros before a JSON number are refused", () => {
    const compile = () => compileAccessFormat('{"D":%(D)09d}');
    expect(compile).toThrow(ConfigError);
    expect(compile).toThrow("%(D)09d as a JSON number at position 6: write it without 0");
  });

  test("whatever bytes come: each line is JSON", () => {
    const names = [...Object.keys(atoms), "{x}i", "{x}o", "{REQUEST_METHOD}e"];
    const fields = names.flatMap((name, at) => [`"s${at}":"%(${name})s"`, `"v${at}":%(${name})s`]);
    const format = compileAccessFormat(`{${fields.join(",")}}`);
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let round = 0; round < 2000; round++) {
      const text = () =>
        String.fromCharCode(...Array.from({ length: random(12) }, () => random(256)));
      const wide = String.fromCharCode(...Array.from({ length: random(6) }, () => random(65_536)));
      const given = record({
        method: text(),
        target: text(),
        bodyBytes: random(3) - 1,
        headers: { x: text(), referer: text(), "user-agent": text(), authorization: basic(text()) },
        answerHeaders: { x: wide },
        variables: { REQUEST_METHOD: text() },
      });
      const parsed = JSON.parse(format(given)) as Record<string, unknown>;
      expect(Object.keys(parsed)).toHaveLength(fields.length);
      expect(parsed[`v${names.indexOf("{x}o")}`]).toBe(
        /[^\xff\0-\xfe]/.test(wide) ? wide : parsed[`s${names.indexOf("{x}o")}`],
      );
    }
  });
});

describe("a format of a logging configuration that is a JSON object", () => {
  const line = (format: string, message: string): unknown =>
    JSON.parse(readFormatter({ format }, "formatters.f")("gunicorn.error")("warning", message));

  test.each([
    [
      '{"level":"%(levelname)s","m":"%(message)s"}',
      'a "b"\n\\',
      { level: "WARNING", m: 'a "b"\n\\' },
    ],
    ['{"n":%(levelno)d,"m":%(message)s}', "é\0", { n: 30, m: "é\0" }],
    ['{"m":"%(message)-4s|"}', '"', { m: '"   |' }],
  ])("%s", (format, message, value) => {
    expect(line(format, message)).toEqual(value);
  });

  test("zeros before a JSON number are refused", () => {
    expect(() => line('{"n":%(levelno)05d}', "")).toThrow("can't begin with zeros");
  });
});

import { expect, test } from "bun:test";
import { parsePythonLiteral } from "../../../../src/log/python/literal.ts";

const read: [text: string, value: unknown][] = [
  [String.raw`'a\n\t\r\a\b\f\v\\\'\"'`, "a\n\t\r\x07\b\f\v\\'\""],
  [String.raw`'\x41\x7e'`, "A~"],
  [String.raw`'\u00fc\U0001f600'`, "ü😀"],
  [String.raw`'\101\0\18'`, "A\0\x018"],
  [String.raw`'C:\dir\q'`, String.raw`C:\dir\q`],
  ["'one \\\nline'", "one line"],
  ["('a', 1, None, [True, -2],)", ["a", 1, null, [true, -2]]],
];

test.each(read)("parsePythonLiteral() reads %s as Python does", (text, value) => {
  expect(parsePythonLiteral(text)).toEqual(value);
});

test.each([
  [String.raw`'\x4'`, "at 1"],
  [String.raw`'ab\u00g0'`, "at 3"],
  [String.raw`'\U00110000'`, "at 1"],
  [String.raw`'\N{DASH}'`, "at 1"],
  ["'open", "at 5"],
])("parsePythonLiteral() refuses %s", (text, place) => {
  expect(() => parsePythonLiteral(text)).toThrow(`${place}: can't be read as a Python value`);
});

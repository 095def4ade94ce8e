import { describe, expect, test } from "bun:test";
import { UsageError } from "../../../../src/api/errors.ts";
import {
  boolean,
  callable,
  commaList,
  dictionary,
  fileMode,
  integer,
  type Kind,
  nullable,
  oneOf,
  seconds,
  text,
  textList,
  workerCount,
} from "../../../../src/config/values/kinds.ts";
import { parseRefuses, parseTakes } from "./parse-tables.ts";

const any = integer();
const line = integer({ max: 8190, zero: "unlimited" });
const pair = callable(2);
const two = (_one: unknown, _other: unknown) => undefined;
const level = oneOf("debug", "info");

parseTakes([
  ["text, trimmed", text, " a b ", "a b"],
  ["no text", text, "", ""],
  ["null where it may be", nullable(text), null, null],
  ["text where null may be", nullable(text), "a", "a"],
  ["a number", any, 5, 5],
  ["0", any, 0, 0],
  ["decimal text", any, " 12 ", 12],
  ["hexadecimal text", any, "0xFF", 255],
  ["octal text", any, "0o17", 15],
  ["binary text", any, "0b11", 3],
  ["a number at its limit", line, 8190, 8190],
  ["0 for unlimited", line, 0, 0],
  ["the longest time that a timer has", seconds("never"), 2_147_483, 2_147_483],
  ["auto workers", workerCount, "auto", 7],
  ["workers as text", workerCount, "3", 3],
  ["an octal mode", fileMode, "0o600", 0o600],
  ["true", boolean, true, true],
  ["True", boolean, "True", true],
  ["false as text", boolean, "false", false],
  ["one text for a list", textList, " a ", ["a"]],
  ["a list", textList, ["a", "b"], ["a", "b"]],
  ["nothing for a list", textList, "", []],
  ["null for a list", textList, null, []],
  ["a comma list", commaList, "a, b,,c ", ["a", "b", "c"]],
  ["a list for a comma list", commaList, ["a,b", "c"], ["a", "b", "c"]],
  ["a word in any case", level, "DEBUG", "debug"],
  ["an object", dictionary, { a: 1 }, { a: 1 }],
  ["a function", pair, two, two],
  ["no function", pair, null, null],
  ["a function with fewer parameters", callable(3), two, two],
]);

parseRefuses([
  ["a number for text", text, 5, "must be text, got 5"],
  ["null for text", text, null, "must be text, got null"],
  ["a negative number", any, -1, "must be at least 0, got -1"],
  ["negative hexadecimal text", any, "-0x10", "must be at least 0, got -16"],
  ["text that is no number", any, "many", "must be a whole number, got 'many'"],
  ["octal as C writes it", any, "010", "must be a whole number, got '010'"],
  ["a fraction", any, 1.5, "must be a whole number, got 1.5"],
  ["true for a number", any, true, "must be a whole number, got true"],
  ["NaN", any, Number.NaN, "must be a whole number, got NaN"],
  ["a list for a number", any, [1], "must be a whole number, got [ 1 ]"],
  ["a number over its limit", line, 8191, "must be from 0 (unlimited) to 8190, got 8191"],
  ["a number under its limit", line, -1, "must be at least 0 (unlimited), got -1"],
  ["no workers", workerCount, 0, "must be at least 1, got 0"],
  ["another word than auto", workerCount, "all", "must be a whole number or auto, got 'all'"],
  ["half a worker", workerCount, 0.5, "must be a whole number, got 0.5"],
  ["a mode with too many bits", fileMode, 0o10000, "must be from 0 to 07777, got 4096"],
  ["1 for true", boolean, 1, "must be true or false, got 1"],
  ["yes for true", boolean, "yes", "must be true or false, got 'yes'"],
  ["numbers in a list", textList, ["a", 1], 'must be a text or a list of texts, got [ "a", 1 ]'],
  ["a number for a list", textList, 5, "must be a text or a list of texts, got 5"],
  ["a number for a comma list", commaList, 5, "must be a comma-separated list, got 5"],
  ["an unknown word", level, "loud", "must be debug or info, got 'loud'"],
  ["a list for an object", dictionary, [], "must be an object, got []"],
  ["text for a function", pair, "a.b", "must be a function with at most 2 parameters, got 'a.b'"],
  [
    "too many parameters",
    callable(1),
    two,
    "must be a function with at most 1 parameter, got one with 2",
  ],
]);

describe("read()", () => {
  test.each<readonly [word: string, kind: Kind<unknown>, result: unknown]>([
    ["12", any, 12],
    ["-1", any, -1],
    ["010", any, 10],
    ["auto", workerCount, "auto"],
    ["3", workerCount, 3],
    ["0022", fileMode, 0o022],
    ["0o22", fileMode, 0o022],
    ["18", fileMode, 18],
  ])("takes %s", (word, kind, result) => {
    expect(kind.read?.(word)).toBe(result);
  });

  test.each<readonly [word: string, kind: Kind<unknown>, message: string]>([
    ["0x10", any, "invalid int value: '0x10'"],
    ["1.5", any, "invalid int value: '1.5'"],
    ["", any, "invalid int value: ''"],
    ["all", workerCount, "invalid int value: 'all'"],
    ["09", fileMode, "invalid auto_int value: '09'"],
  ])("refuses %s", (word, kind, message) => {
    expect(() => kind.read?.(word)).toThrow(new UsageError(message));
  });
});

describe("show()", () => {
  test.each<readonly [shown: string, kind: Kind<unknown>, value: unknown]>([
    ["a b", text, "a b"],
    ["null", nullable(text), null],
    ["5", any, 5],
    ["0600", fileMode, 0o600],
    ["0", fileMode, 0],
    ['["a"]', textList, ["a"]],
    ["a,b", commaList, ["a", "b"]],
    ["<two()>", pair, two],
    ["null", pair, null],
    ['{"a":1}', dictionary, { a: 1 }],
  ])("gives %s", (shown, kind, value) => {
    expect(kind.show(value)).toBe(shown);
  });
});

import { describe, expect, test } from "bun:test";
import { ConfigError } from "../../../../src/api/errors.ts";
import { shellWords } from "../../../../src/config/sources/shell-words.ts";

describe("shellWords()", () => {
  test.each<readonly [text: string, words: readonly string[]]>([
    ["", []],
    ["  \n ", []],
    ["-w 3\t--bind=:1", ["-w", "3", "--bind=:1"]],
    ["-e 'A=b c'", ["-e", "A=b c"]],
    ['-e "A=b c"', ["-e", "A=b c"]],
    ["a'b'\"c\"d", ["abcd"]],
    ["''", [""]],
    ["a\\ b", ["a b"]],
    ['"a\\"b\\\\c\\d"', ['a"b\\c\\d']],
    ["'a\\b'", ["a\\b"]],
    ["a#b $HOME", ["a#b", "$HOME"]],
  ])("splits %p as a shell does", (text, words) => {
    expect(shellWords(text)).toEqual([...words]);
  });

  test.each([
    ["-e 'A=b", "no closing quotation mark: '"],
    ['-e "A=b', 'no closing quotation mark: "'],
    ["a\\", "no character after the last backslash"],
  ])("refuses %p", (text, message) => {
    expect(() => shellWords(text)).toThrow(new ConfigError(message));
  });
});

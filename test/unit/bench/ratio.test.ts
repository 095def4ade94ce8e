import { expect, test } from "bun:test";
import { BenchError } from "../../../bench/errors.ts";
import { loads } from "../../../bench/loads.ts";
import { readOptions } from "../../../bench/ratio.ts";

test("readOptions() without words: every load, five pairs of three seconds", () => {
  expect(readOptions([])).toEqual({ loads, pairs: 5, seconds: 3 });
});

test("readOptions() takes loads, pairs and seconds", () => {
  const words = ["--load", "upload", "--load=hello", "--pairs", "7", "--seconds", "0.5"];
  const { loads: chosen, ...rest } = readOptions(words);
  expect(chosen.map(({ name }) => name)).toEqual(["upload", "hello"]);
  expect(rest).toEqual({ pairs: 7, seconds: 0.5 });
});

test("readOptions() --smoke: one short pair", () => {
  expect(readOptions(["--smoke"])).toEqual({ loads, pairs: 1, seconds: 0.5 });
});

const wrong: [words: string[], message: string][] = [
  [["--nope"], "'--nope'"],
  [["word"], "'word'"],
  [["--pairs"], "--pairs"],
  [["--pairs", "0"], "--pairs: must be a number above 0, got 0"],
  [["--pairs", "1.5"], "got 1.5"],
  [["--seconds", "-1"], "--seconds"],
  [["--seconds", "x"], "--seconds: must be a number above 0, got x"],
  [["--seconds", ""], "--seconds"],
  [["--load", "helo"], "--load: must be one of hello, url-and-header, "],
];
test.each(wrong)("readOptions() refuses %p", (words, message) => {
  expect(() => readOptions(words)).toThrow(BenchError);
  expect(() => readOptions(words)).toThrow(message);
});

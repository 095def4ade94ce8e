import { expect, test } from "bun:test";
import { join } from "node:path";
import { BenchError } from "../../../bench/errors.ts";
import { readOptions } from "../../../bench/options.ts";
import { ratioLoads as loads } from "../../../bench/ratio/loads.ts";
import { ratio, readRatioOptions } from "../../../bench/ratio/ratio.ts";

const read = (words: readonly string[]) => readRatioOptions(readOptions(ratio, words));

test("bench ratio without words: every load, five pairs of three seconds", () => {
  expect(read([])).toEqual({ loads, pairs: 5, seconds: 3, other: "bare" });
});

test("bench ratio takes loads, pairs and seconds", () => {
  const words = ["--load", "upload", "--load=hello", "--pairs", "7", "--seconds", "0.5"];
  const { loads: chosen, ...rest } = read(words);
  expect(chosen.map(({ name }) => name)).toEqual(["upload", "hello"]);
  expect(rest).toEqual({ pairs: 7, seconds: 0.5, other: "bare" });
});

test("bench ratio --smoke: one short pair", () => {
  expect(read(["--smoke"])).toEqual({ loads, pairs: 1, seconds: 0.3, other: "bare" });
});

test("bench ratio --against CHECKOUT: the other side is that one", () => {
  const checkout = join(import.meta.dir, "../../..");
  expect(read(["--against", checkout]).other).toEqual({ checkout });
});

test("every row's load is there, under a name of its own", () => {
  expect(new Set(loads.map(({ name }) => name)).size).toBe(loads.length);
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
  [["--against", "/nowhere"], "--against: must be a checkout of gunicorn-ts, got /nowhere"],
  [["--load", "helo"], "--load: must be one of hello, unique, "],
];
test.each(wrong)("bench ratio refuses %p", (words, message) => {
  expect(() => read(words)).toThrow(BenchError);
  expect(() => read(words)).toThrow(message);
});

import { describe, expect, test } from "bun:test";
import { editDistance, nearest } from "../../../src/modules/nearest.ts";

test.each([
  ["", "", 0],
  ["", "abc", 3],
  ["abc", "", 3],
  ["fetch", "fetch", 0],
  ["fech", "fetch", 1],
  ["fetsch", "fetch", 1],
  ["fotch", "fetch", 1],
  ["fecth", "fetch", 1],
  ["efthc", "fetch", 2],
  ["ab", "ba", 1],
  ["banana", "fetch", 6],
])("from %p to %p are %p steps", (from, to, steps) => {
  expect(editDistance(from, to)).toBe(steps);
  expect(editDistance(to, from)).toBe(steps);
});

describe("nearest()", () => {
  const words = ["app", "fetch", "default", "server"];
  test.each([
    ["ap", "app"],
    ["fech", "fetch"],
    ["fecth", "fetch"],
    ["defualt", "default"],
    ["serevr", "server"],
    ["patch", null],
    ["APP", "app"],
    ["handler", null],
    ["a", null],
    ["", null],
  ])("of %p is %p", (name, word) => {
    expect(nearest(name, words)).toBe(word);
  });
  test("of a long name is none", () => {
    const [long, longer] = ["x".repeat(100), "x".repeat(101)];
    expect([nearest(`${long.slice(1)}y`, [long]), nearest(longer, [long])]).toEqual([long, null]);
  });

  test("is the nearer of two", () => {
    expect(nearest("fetche", ["fetched", "fetch", "fetches"])).toBe("fetched");
  });
});

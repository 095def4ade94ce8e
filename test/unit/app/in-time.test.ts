import { expect, test } from "bun:test";
import { inTime, late } from "../../../src/app/in-time.ts";

const never = new Promise<string>(() => {});

test.each([
  ["what has settled", 60_000, () => Promise.resolve("done"), "done"],
  ["what settles later", 60_000, () => Bun.sleep(1).then(() => "done"), "done"],
  ["what has settled when no time is left", 0, () => Promise.resolve("done"), "done"],
  ["what has settled when there was less than none", -5, () => Promise.resolve("done"), "done"],
  ["late for what takes too long", 1, () => never, late],
  ["late when no time is left", 0, () => never, late],
  ["late when there was less than none", -5, () => never, late],
])("inTime() gives %s", async (_claim, limitMs, work, result) => {
  expect<unknown>(await inTime(limitMs, work())).toBe(result);
});

test("inTime() rejects as the work does, and a rejection that comes late is nobody's", async () => {
  expect(inTime(60_000, Promise.reject(new Error("no")))).rejects.toThrow("no");
  const { promise, reject } = Promise.withResolvers<string>();
  expect(await inTime(0, promise)).toBe(late);
  reject(new Error("unseen"));
  await Bun.sleep(0);
});

import { expect, test } from "bun:test";
import { SpanBatch } from "../../../../src/telemetry/traces/span-batch.ts";

const texts: readonly [what: string, text: string][] = [
  ["ASCII", "a"],
  ["a letter of two bytes", "é"],
  ["letters of three bytes", "漢字"],
  ["a pair of surrogates", "🎉"],
];
test.each(texts)("a batch keeps each span whole, as it grows: %s", (_what, text) => {
  const batch = new SpanBatch("[", "]");
  const spans = Array.from({ length: 600 }, (_, nr) => `${nr}${text.repeat(nr)}`);
  for (const span of spans) batch.add(JSON.stringify(span));
  expect(batch.count).toBe(600);
  expect(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(batch.takeBody()))).toEqual(
    spans,
  );
});

test("a batch of a span that is larger than all before", () => {
  const batch = new SpanBatch("[", "]");
  const span = JSON.stringify("é".repeat(100_000));
  batch.add(span);
  expect(new TextDecoder().decode(batch.takeBody())).toBe(`[${span}]`);
});

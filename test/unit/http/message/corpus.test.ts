import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { parseErrors } from "../../../../src/http/errors.ts";
import { readCorpus, run, type Case, type Outcome } from "../../../support/corpus.ts";
import { seeded } from "../../../support/mutate.ts";

const cases = readCorpus();
const next = Buffer.from("GET /next HTTP/1.1\r\nHost: next\r\nX-Next: 1\r\n\r\n");
const nextFacts = [
  "head: GET /next 1.1",
  "form: origin",
  "authority: next",
  "persistent: yes",
  "expect: none",
  "framing: none",
  "field: Host: next",
  "field: X-Next: 1",
];
const repeatable = new Set(["field", "trailer"]);

describe.each(cases.map((row) => [`${row.file}: ${row.name}`, row] as const))("%s", (_, row) => {
  test("whole", () => {
    check(row, run(row.bytes, [], row));
  });

  test("byte by byte", () => {
    check(row, run(row.bytes, everyOffset(row.bytes.length), row));
  });

  test("cut at every offset", () => {
    const whole = run(row.bytes, [], row);
    for (const offset of everyOffset(row.bytes.length)) {
      sameOutcome(run(row.bytes, [offset], row), whole);
    }
  }, 120_000);

  if (row.outcome === "accepted")
    test("followed by a second request", () => {
      const both = Buffer.concat([row.bytes, next]);
      const loose = { ...row, limits: { ...row.limits, ...roomForNext(row) } };
      for (const cuts of [[], [row.bytes.length], [row.bytes.length + 3], [row.bytes.length - 1]]) {
        const outcome = run(both, cuts, loose);
        expect(outcome.error).toBeNull();
        expect(outcome.requests.length).toBe(2);
        expect(outcome.requests[0]!.facts).toEqual(run(row.bytes, [], row).requests[0]!.facts);
        expect(outcome.requests[1]).toMatchObject({ facts: nextFacts, complete: true });
      }
    });
});

test("the corpus has no case twice and reaches every error", () => {
  const names = cases.map((row) => `${row.file}#${row.name}`);
  expect(new Set(names).size).toBe(names.length);
  expect(cases.length).toBeGreaterThanOrEqual(300);
  const reached = new Set<string>(cases.map((row) => row.outcome));
  expect(Object.keys(parseErrors).filter((error) => !reached.has(error))).toEqual([]);
});

test("random cuts change nothing", () => {
  const random = seeded(20_261_120);
  for (const row of cases) {
    const whole = run(row.bytes, [], row);
    for (let round = 0; round < 20; round++) {
      const count = 1 + Math.floor(random() * 6);
      const cuts = Array.from({ length: count }, () => Math.floor(random() * row.bytes.length));
      sameOutcome(
        run(
          row.bytes,
          [...new Set(cuts)].sort((a, b) => a - b),
          row,
        ),
        whole,
      );
    }
  }
});

test("mutated cases never throw, hang, or depend on cuts", () => {
  const random = seeded(7);
  const marks = Buffer.from("\r\n\t :,;=_0aZ%#\x00\x7f\xff", "latin1");
  const short = cases.filter((row) => row.bytes.length < 400);
  for (let round = 0; round < 20_000; round++) {
    const row = short[Math.floor(random() * short.length)]!;
    const bytes = Buffer.from(row.bytes);
    const at = Math.floor(random() * bytes.length);
    bytes[at] = marks[Math.floor(random() * marks.length)]!;
    const whole = run(bytes, [], row);
    sameOutcome(run(bytes, [Math.floor(random() * bytes.length)], row), whole);
  }
});

function check(row: Case, outcome: Outcome): void {
  if (row.outcome !== "accepted" && row.outcome !== "incomplete") {
    expect(outcome.error).toBe(row.outcome);
    expect(parseErrors[row.outcome].status).toBe(row.status);
    return;
  }
  expect(outcome.error).toBeNull();
  const [seen] = outcome.requests;
  if (row.outcome === "accepted") expect(outcome.requests.length).toBe(1);
  expect(seen?.complete ?? false).toBe(row.outcome === "accepted");
  if (seen === undefined) return;
  const keys = new Set(row.facts.map(keyOf));
  // All fields and trailers count in accepted cases; other facts only if the case names them.
  if (row.outcome === "accepted") for (const key of repeatable) keys.add(key);
  const relevant = seen.facts.filter((fact) => keys.has(keyOf(fact)));
  expect(relevant.toSorted(byKey)).toEqual(row.facts.toSorted(byKey));
}

function sameOutcome(outcome: Outcome, whole: Outcome): void {
  expect(outcome.error).toBe(whole.error);
  expect(outcome.errorAt).toBe(whole.errorAt);
  expect(outcome.requests).toEqual(whole.requests);
}

function keyOf(fact: string): string {
  return fact.slice(0, fact.indexOf(":"));
}

/** By key only: what has the same key keeps its order. */
function byKey(left: string, right: string): number {
  return keyOf(left) < keyOf(right) ? -1 : keyOf(left) > keyOf(right) ? 1 : 0;
}

function everyOffset(length: number): number[] {
  return Array.from({ length: Math.max(0, length - 1) }, (_, index) => index + 1);
}

/** The limits are the first request's; the second must only fit. */
function roomForNext(row: Case): { requestLine: number; fields: number } {
  return {
    requestLine: Math.max(row.limits.requestLine, 40),
    fields: Math.max(row.limits.fields, 2),
  };
}

test("docs/http.md names cases that exist, of every file of the corpus", async () => {
  const text = await Bun.file(join(import.meta.dir, "../../../../docs/http.md")).text();
  // Whatever is emphasised is a name, which may have underscores inside its words.
  const prose = text
    .replace(/`[^`]*`/g, "")
    .replace(/\s+/g, " ")
    .replaceAll("\\_", "_");
  const named = new Set([...prose.matchAll(/(?<!\w)_(\S.*?)_(?!\w)/g)].map(([, name]) => name));
  const all = new Set(cases.map(({ name }) => name));
  expect([...named].filter((name) => !all.has(name ?? ""))).toEqual([]);
  const seen = cases.filter(({ name }) => named.has(name));
  expect(new Set(seen.map(({ file }) => file))).toEqual(new Set(cases.map(({ file }) => file)));
  expect(named.size).toBeGreaterThan(170);
});

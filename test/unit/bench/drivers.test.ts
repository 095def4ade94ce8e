/** The outputs of the load generators, as recorded from wrk 4.1.0 of Debian and oha 1.16.0 of crates.io. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  addErrors,
  countErrors,
  noErrors,
  plainTraffic,
  type Report,
  showErrors,
} from "../../../bench/drivers/driver.ts";
import { selectDriver } from "../../../bench/drivers/drivers.ts";
import { oha, parseOhaOutput } from "../../../bench/drivers/oha.ts";
import { parseWrkOutput, wrk } from "../../../bench/drivers/wrk.ts";
import { runGenerator } from "../../../bench/drivers/generator-process.ts";
import { BenchError } from "../../../bench/errors.ts";

function recorded(name: string): string {
  return readFileSync(join(import.meta.dir, "recorded", name), "utf8");
}

const goodWrk = recorded("wrk-4.1.0-good.txt");
const goodOha = recorded("oha-1.16.0-good.json");

const parsed: [name: string, parse: () => Report, expected: Report][] = [
  [
    "wrk",
    () => parseWrkOutput(goodWrk),
    { requests: 108_052, durationUs: 701_000, p50Us: 374, p99Us: 1481, errors: noErrors },
  ],
  [
    "wrk, with resets and 503",
    () => parseWrkOutput(recorded("wrk-4.1.0-errors.txt")),
    {
      requests: 74_774,
      durationUs: 499_556,
      p50Us: 39,
      p99Us: 134,
      errors: { ...noErrors, read: 1525, status: 10_682 },
    },
  ],
  [
    "oha, without what the deadline has cut",
    () => parseOhaOutput(goodOha, 64),
    { requests: 39_678, durationUs: 303_335, p50Us: 454, p99Us: 831, errors: noErrors },
  ],
  [
    "oha, with resets and 503",
    () => parseOhaOutput(recorded("oha-1.16.0-errors.json"), 8),
    {
      requests: 35_362,
      durationUs: 302_103,
      p50Us: 63,
      p99Us: 140,
      errors: { ...noErrors, read: 721, status: 5052 },
    },
  ],
];
test.each(parsed)("the output of %s is read", (_name, parse, expected) => {
  expect(parse()).toEqual(expected);
});

test("oha: more requests cut by the deadline than there are connections are errors", () => {
  const { errors } = parseOhaOutput(goodOha, 43);
  expect(errors).toEqual({ ...noErrors, other: 4 });
});

const ohaErrors: [text: string, kind: keyof typeof noErrors][] = [
  ["Connection refused (os error 111)", "connect"],
  ["connection error", "read"],
  ["connection closed before message completed", "read"],
  ["Connection reset by peer (os error 104)", "read"],
  ["Broken pipe (os error 32)", "write"],
  ["timeout", "timeout"],
  ["operation timed out", "timeout"],
  ["something new", "other"],
];
test.each(ohaErrors)("oha's %p counts as %s", (text, kind) => {
  const report = JSON.parse(goodOha) as Record<string, unknown>;
  const output = JSON.stringify({ ...report, errorDistribution: { [text]: 7 } });
  expect(parseOhaOutput(output, 64).errors).toEqual({ ...noErrors, [kind]: 7 });
});

function without(name: string): string {
  const report = JSON.parse(goodOha) as Record<string, unknown>;
  return JSON.stringify({ ...report, [name]: undefined });
}

const line = goodWrk.trimEnd().split("\n").at(-1) as string;

const refused: [what: string, parse: () => Report, message: string][] = [
  ["wrk: nothing", () => parseWrkOutput(""), "wrk's output can't be read:\n(nothing)"],
  ["wrk: no line of ours", () => parseWrkOutput(goodWrk.replace(line, "")), "can't be read"],
  ["wrk: a missing field", () => parseWrkOutput(goodWrk.replace(`"read":0,`, "")), "can't be read"],
  [
    "wrk: a field that isn't a number",
    () => parseWrkOutput(goodWrk.replace(`"read":0`, `"read":"0"`)),
    "can't be read",
  ],
  [
    "wrk: a negative field",
    () => parseWrkOutput(goodWrk.replace(`"read":0`, `"read":-1`)),
    "can't be read",
  ],
  ["wrk: no answers", () => parseWrkOutput(goodWrk.replace("108052,", "0,")), "wrk got no answer:"],
  [
    "wrk: nobody listens",
    () => parseWrkOutput(recorded("wrk-4.1.0-refused.txt")),
    "Connection refused",
  ],
  ["oha: nothing", () => parseOhaOutput("", 64), "oha's output can't be read:\n(nothing)"],
  ["oha: text", () => parseOhaOutput("Summary:\n  Success rate: 100%\n", 64), "can't be read"],
  ["oha: other JSON", () => parseOhaOutput("[]", 64), "can't be read"],
  ["oha: null", () => parseOhaOutput("null", 64), "can't be read"],
  [
    "oha: no statuses",
    () => parseOhaOutput(without("statusCodeDistribution"), 64),
    "can't be read",
  ],
  ["oha: no errors", () => parseOhaOutput(without("errorDistribution"), 64), "can't be read"],
  ["oha: no summary", () => parseOhaOutput(without("summary"), 64), "can't be read"],
  ["oha: no percentiles", () => parseOhaOutput(without("latencyPercentiles"), 64), "can't be read"],
  [
    "oha: nobody listens",
    () => parseOhaOutput(recorded("oha-1.16.0-refused.json"), 4),
    "oha got no answer: 13054 x Connection refused (os error 111)",
  ],
];
test.each(refused)("refused: %s", (_what, parse, message) => {
  expect(parse).toThrow(BenchError);
  expect(parse).toThrow(message);
});

describe("an output that is cut at any byte is refused", () => {
  const rows: [name: string, output: string, parse: (output: string) => Report][] = [
    ["wrk", goodWrk, parseWrkOutput],
    ["oha", goodOha.trimEnd(), (output) => parseOhaOutput(output, 64)],
  ];
  test.each(rows)("%s", (_name, output, parse) => {
    for (let length = 0; length < output.length; length++) {
      expect(() => parse(output.slice(0, length))).toThrow(BenchError);
    }
  });
});

test("errors are added up by kind, and shown by kind", () => {
  const errors = addErrors([
    { ...noErrors, connect: 1, status: 2 },
    { ...noErrors, status: 3, other: 4 },
  ]);
  expect(countErrors(errors)).toBe(10);
  expect(showErrors(errors)).toBe("10 (connect 1, status 5, other 4)");
  expect(showErrors(noErrors)).toBe("0");
});

test("what oha can't send it refuses in a sentence, and wrk sends", () => {
  const pipelined = { ...plainTraffic, pipelineDepth: 16 };
  expect(oha.refuses(pipelined)).toBe("oha can't pipeline requests");
  expect([oha.refuses(plainTraffic), wrk.refuses(pipelined)]).toEqual([null, null]);
});

test("selectDriver() knows both, and names them to whoever asks for another", () => {
  expect([selectDriver("wrk"), selectDriver("oha")]).toEqual([wrk, oha]);
  expect(() => selectDriver("ab")).toThrow("--driver: must be wrk or oha, got ab");
});

test("a generator that has missed the interruption is interrupted again", async () => {
  const script = `trap 'if [ "$missed" ]; then echo told; exit; else missed=1; fi' INT; while :; do sleep 0.02; done`;
  const options = { interruptAfterMs: 300, limitMs: 60_000 };
  const run = () => runGenerator(["sh", "-c", script], options);
  let { output } = await run();
  // On a busy machine the first comes before the trap, and ends it.
  while (output === "") ({ output } = await run());
  expect(output).toBe("told\n");
}, 90_000);

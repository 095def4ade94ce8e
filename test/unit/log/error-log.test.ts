import { expect, test } from "bun:test";
import { createLog, type LogLevel } from "../../../src/log/error-log.ts";
import { jsonLine, logLevels, textLine } from "../../../src/log/lines/line-format.ts";

function recorded(threshold: LogLevel, sinkThreshold: LogLevel = "debug") {
  const lines: string[] = [];
  const handler = { emit: (level: LogLevel, text: string) => lines.push(`${level} ${text}`) };
  return { lines, log: createLog(threshold, [{ threshold: sinkThreshold, handler }]) };
}

function callAll({ log, lines }: ReturnType<typeof recorded>): string[] {
  for (const level of logLevels) log[level]("x");
  log.exception("x");
  return lines.map((line) => line.split(" ")[0] ?? "");
}

const thresholds: [threshold: LogLevel, written: string[]][] = [
  ["critical", ["critical"]],
  ["error", ["critical", "error", "error"]],
  ["warning", ["critical", "error", "warning", "error"]],
  ["info", ["critical", "error", "warning", "info", "error"]],
  ["debug", ["critical", "error", "warning", "info", "debug", "error"]],
];

test.each(thresholds)("loglevel %s writes what is as severe", (threshold, written) => {
  expect(callAll(recorded(threshold))).toEqual(written);
});

test.each(thresholds)("a handler of level %s takes what is as severe", (threshold, written) => {
  expect(callAll(recorded("debug", threshold))).toEqual(written);
});

test.each([
  [Symbol("s"), "Symbol(s)"],
  [null, "null"],
  [5n, "5n"],
  [{ message: "x", args: [] }, Bun.inspect({ message: "x", args: [] })],
  [Object.create(null), "[Object: null prototype] {}"],
])("a message that isn't a text is written as one: %p", (message, expected) => {
  const { log, lines } = recorded("debug");
  log.info(message as never, null as never);
  log.error(message as never);
  expect(lines).toEqual([`info ${expected}`, `error ${expected}`]);
});

test("an empty message with a metric is no line, and repeated lines are lines", () => {
  const { log, lines } = recorded("debug");
  const metric = { metric: "m", value: 1, mtype: "gauge" } as const;
  log.info("", metric);
  log.debug("", metric);
  for (let count = 0; count < 20; count++) log.info("same", metric);
  expect(lines).toEqual(Array(20).fill("info same"));
});

test("a line of text is Gunicorn's", () => {
  expect(textLine("warning", "hello")).toMatch(
    /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[WARNING\] hello\n$/,
  );
});

const stack = "Error: boom\n    at f (/a.ts:1:2)\n    at g (/a.ts:3:4)";
const messages: [claim: string, text: string, message: string, stack: string | undefined][] = [
  ["a plain message", "hello", "hello", undefined],
  ["a stack", `Bad\n${stack}`, "Bad", stack],
  ["lines that are no stack", "one\ntwo", "one\ntwo", undefined],
  ["quotes and control bytes", 'a "b" \x1b[31m\u2028', 'a "b" \x1b[31m\u2028', undefined],
];

test.each(messages)("JSON: %s", (_claim, text, message, expected) => {
  const line = jsonLine("gunicorn.error")("error", text);
  expect(line.match(/\n/g)).toHaveLength(1);
  const { time, ...rest } = JSON.parse(line);
  expect(new Date(time).toISOString()).toBe(time);
  const { pid } = process;
  const fields = { level: "error", pid, logger: "gunicorn.error", message };
  expect(rest).toEqual(expected === undefined ? fields : { ...fields, stack: expected });
});

import { expect, test } from "bun:test";
import { bareLine } from "../../../../src/log/lines/line-format.ts";
import { BatchHandler, DirectHandler, type LineSink } from "../../../../src/log/sinks/line-sink.ts";
import { linePieces } from "../../../../src/log/sinks/standard-stream.ts";
import { until } from "../../../support/server.ts";

/** Remembers what was asked of it. */
class Recorder implements LineSink {
  readonly calls: string[] = [];
  write(text: string): void {
    this.calls.push(text);
  }
  flush(): void {
    this.calls.push("(flush)");
  }
  reopen(): void {
    this.calls.push("(reopen)");
  }
  close(): void {
    this.calls.push("(close)");
  }
}

test("the error log's lines are written one by one", () => {
  const sink = new Recorder();
  const handler = new DirectHandler(sink, (level, message) => `${level}: ${message}\n`);
  handler.emit("info", "one");
  handler.emit("error", "two");
  handler.close();
  expect(sink.calls).toEqual(["info: one\n", "error: two\n", "(close)"]);
});

const ends: [name: "flush" | "reopen" | "close", call: string][] = [
  ["flush", "(flush)"],
  ["reopen", "(reopen)"],
  ["close", "(close)"],
];

test.each(ends)("%s writes a batch that waits first", (name, call) => {
  const sink = new Recorder();
  const handler = new BatchHandler(sink, null);
  handler.emit("info", "one");
  handler.emit("info", "two");
  expect(sink.calls).toEqual([]);
  handler[name]();
  expect(sink.calls).toEqual(["one\ntwo\n", call]);
});

test("a batch is written when it has 64 KiB, and no earlier", () => {
  const sink = new Recorder();
  const handler = new BatchHandler(sink, bareLine);
  const line = "x".repeat(1023);
  for (let count = 0; count < 63; count++) handler.emit("info", line);
  expect(sink.calls).toEqual([]);
  handler.emit("info", line);
  expect(sink.calls.map((text) => text.length)).toEqual([65_536]);
  handler.close();
});

test("a line doesn't wait for others for long", async () => {
  const sink = new Recorder();
  const handler = new BatchHandler(sink, null);
  handler.emit("info", "one");
  await until("the line", () => sink.calls.length === 1, 2000);
  handler.emit("info", "two");
  await until("the next line", () => sink.calls.length === 2, 2000);
  expect(sink.calls).toEqual(["one\n", "two\n"]);
});

const pieces: [claim: string, text: string, expected: string[]][] = [
  ["what is short enough stays whole", "a\nb\n", ["a\nb\n"]],
  ["a piece ends at a line end", "aaa\nbbb\nccc\n", ["aaa\nbbb\n", "ccc\n"]],
  ["a long line is a piece of its own", "a\nbbbbbbbbbbbb\nc\n", ["a\n", "bbbbbbbbbbbb\n", "c\n"]],
  ["bytes count, not characters", "äää\nb\n", ["äää\n", "b\n"]],
  ["an end without a line end counts", "aaa\nbbb\nccc", ["aaa\nbbb\n", "ccc"]],
  ["nothing is no piece", "", []],
];

test.each(pieces)("%s", (_claim, text, expected) => {
  expect([...linePieces(text, 8)]).toEqual(expected);
});

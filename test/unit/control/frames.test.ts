import { describe, expect, test } from "bun:test";
import { encodeFrame, FrameReader } from "../../../src/control/frames.ts";

const longest = 64;
const one = encodeFrame({ command: "reload" });
const two = encodeFrame({ command: "show stats", args: ["ä"] });

/** What a reader gives for bytes that come in pieces of a size. */
function read(bytes: Uint8Array, size: number): unknown[] {
  const reader = new FrameReader(longest);
  const seen: unknown[] = [];
  for (let at = 0; at < bytes.byteLength; at += size) {
    if (!reader.push(bytes.subarray(at, at + size))) seen.push("too much");
    for (let frame = reader.next(); frame.type !== "need more"; frame = reader.next()) {
      seen.push(frame.type === "message" ? frame.message : frame.why);
      if (frame.type === "broken") return seen;
    }
  }
  return seen;
}

describe("FrameReader", () => {
  const text = (words: string) => Buffer.from(words);
  const whole = (json: string) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(Buffer.byteLength(json));
    return Buffer.concat([head, text(json)]);
  };
  const rows: [claim: string, bytes: Uint8Array, seen: unknown[]][] = [
    ["reads a frame", one, [{ command: "reload" }]],
    [
      "reads one after the other",
      Buffer.concat([one, two]),
      [{ command: "reload" }, { command: "show stats", args: ["ä"] }],
    ],
    ["waits for the rest", one.subarray(0, -1), []],
    ["waits for the length", one.subarray(0, 3), []],
    ["takes the longest", whole(`"${"x".repeat(longest - 2)}"`), ["x".repeat(longest - 2)]],
    [
      "refuses what is longer",
      whole(`"${"x".repeat(longest - 1)}"`),
      ["a frame has at most 64 bytes, got 65"],
    ],
    [
      "refuses a line of text, before all of it has come",
      text("show stats\n"),
      ["a frame has at most 64 bytes, got 1936224119"],
    ],
    ["refuses what isn't JSON", whole("reload"), ["a frame holds JSON"]],
    ["refuses an empty frame", whole(""), ["a frame holds JSON"]],
  ];
  for (const size of [1, 3, 1 << 20]) {
    test.each(rows)(`%s, in pieces of ${size}`, (_claim, bytes, seen) => {
      expect(read(bytes, size)).toEqual(seen);
    });
  }

  test("holds no more than one frame", () => {
    const reader = new FrameReader(longest);
    expect(reader.push(one)).toBe(true);
    expect(reader.push(new Uint8Array(longest))).toBe(false);
  });
});

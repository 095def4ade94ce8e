import { expect, test } from "bun:test";
import { AnswerStream } from "../../../../../src/app/node/handles/answer-stream.ts";

const piece = new Uint8Array(100_000);

/** A stream, how often it has told of room, and who reads it. */
function create() {
  const told = { room: 0, cancelled: 0 };
  const stream = new AnswerStream(
    () => (told.room += 1),
    () => (told.cancelled += 1),
  );
  return { stream, told, reader: stream.readable.getReader() };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test.each([
  ["before it is read", false],
  ["while somebody waits for it", true],
])(
  "a large piece, written %s, makes the listener wait until the next is asked for",
  async (_claim, waits) => {
    const { stream, told, reader } = create();
    const early = waits ? reader.read() : null;
    await settled();
    told.room = 0;
    expect(stream.write(piece)).toBe(false);
    expect((await (early ?? reader.read())).value).toHaveLength(piece.length);
    await settled();
    expect(told.room).toBe(0);
    const next = reader.read();
    await settled();
    expect(told.room).toBe(1);
    stream.end("");
    expect((await next).done).toBe(true);
  },
);

test("small pieces gather until they are many", () => {
  const { stream } = create();
  const answers = Array.from({ length: 7 }, () => stream.write(new Uint8Array(10_000)));
  expect(answers).toEqual([true, true, true, true, true, true, false]);
  expect(stream.waitingBytes).toBe(70_000);
});

test("a reader that leaves is told of once, and what is written then goes nowhere", async () => {
  const { stream, told, reader } = create();
  stream.write(piece);
  await reader.cancel();
  expect(told.cancelled).toBe(1);
  expect([stream.write(piece), stream.waitingBytes]).toEqual([true, 0]);
  stream.end("X-Sum: 1\r\n");
  stream.cut(new Error("late"));
});

/** What several connections write is what was added to each, whatever their sockets take at a time. */
import { describe, expect, test } from "bun:test";
import { OutputBuffer } from "../../../../src/http/response/output.ts";

/** A socket that takes so many bytes at a time. */
class Sink {
  text = "";
  readonly #mostPerWrite: number;

  constructor(mostPerWrite: number) {
    this.#mostPerWrite = mostPerWrite;
  }

  write(data: string | Uint8Array): number {
    const bytes = Buffer.from(data as string);
    const taken = bytes.subarray(0, this.#mostPerWrite);
    this.text += taken.toString("latin1");
    return taken.length;
  }
}

const head = (letter: string, length: number) => letter.repeat(length);

/** The answers of a connection: of each one its head and its body; null: there is none. */
const connections: readonly (readonly (readonly [head: string, body: string | null])[])[] = [
  [[head("a", 100), "hello"]],
  [[head("a", 100), "hello!"]],
  [[head("b", 100), "hello"]],
  [[head("b", 101), ""]],
  [[head("b", 100), null]],
  [[head("a", 1000), "x".repeat(24)]],
  [[head("a", 1000), "x".repeat(25)]],
  [[head("a", 1024), "x"]],
  [[head("a", 10), "x".repeat(4097)]],
  [
    [head("a", 100), "one"],
    [head("a", 100), "two"],
  ],
  [
    [head("a", 100), null],
    [head("a", 100), null],
    [head("a", 100), "three"],
  ],
  Array.from({ length: 16 }, (_, n) => [head("c", 100), `answer ${n}`] as const),
];

const mosts = [1, 7, 99, 100, 101, 104, 105, 1023, 1024, 1025, Number.POSITIVE_INFINITY];

describe.each(mosts)("%d bytes at a time", (most) => {
  test("one connection behind the other, and twice", () => {
    for (const answers of [...connections, ...connections]) {
      const [output, sink] = [new OutputBuffer(), new Sink(most)];
      const expected = add(output, answers);
      expect(output.byteLength).toBe(expected.length);
      while (!output.writeTo(sink))
        expect(output.byteLength).toBe(expected.length - sink.text.length);
      expect(sink.text).toBe(expected);
    }
  });

  test("all at a time, a write of each in turn", () => {
    const open = connections.map((answers) => {
      const [output, sink] = [new OutputBuffer(), new Sink(most)];
      return { output, sink, expected: add(output, answers) };
    });
    for (let left = open; left.length > 0;)
      left = left.filter(({ output, sink }) => !output.writeTo(sink));
    expect(open.map(({ sink }) => sink.text)).toEqual(open.map(({ expected }) => expected));
  });

  test("answers that are added behind what the socket hasn't taken", () => {
    const [output, sink] = [new OutputBuffer(), new Sink(most)];
    let expected = "";
    for (const answers of connections) {
      expected += add(output, answers);
      output.writeTo(sink);
    }
    while (!output.writeTo(sink));
    expect(sink.text).toBe(expected);
  });
});

test("what is dropped isn't written", () => {
  const [output, sink] = [new OutputBuffer(), new Sink(Number.POSITIVE_INFINITY)];
  add(output, connections[0]!);
  output.clear();
  expect([output.byteLength, output.writeTo(sink), sink.text]).toEqual([0, true, ""]);
});

/** Answers with all that was added. */
function add(output: OutputBuffer, answers: (typeof connections)[number]): string {
  for (const [head, body] of answers) {
    output.addHead({ head, ascii: true });
    if (body !== null) output.addAscii(body);
  }
  return answers.map(([head, body]) => head + (body ?? "")).join("");
}

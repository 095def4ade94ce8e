import { describe, expect, test } from "bun:test";
import { OutputBuffer } from "../../../../src/http/response/output.ts";
import { spareBytes, writeUtf8 } from "../../../../src/http/response/utf8.ts";

const texts: readonly (readonly [name: string, text: string])[] = [
  ["one letter of 8 bits", "é"],
  ["short, of 8 bits", "é".repeat(100)],
  ["long, of 8 bits, all above ASCII", "é".repeat(40_000)],
  ["long, of 8 bits, every eighth above ASCII", "abcdefgÿ".repeat(5000)],
  ["long, of 8 bits, few above ASCII", `${"a".repeat(40_000)}é`],
  ["long, of 16 bits, two bytes each", "жд".repeat(20_000)],
  ["long, of 16 bits, three bytes each", "漢字".repeat(10_000)],
  ["long, of 16 bits, as a decoder gives it", Buffer.from("é".repeat(40_000)).toString()],
  ["pairs of surrogates", "é😀".repeat(10_000)],
  ["a lone high surrogate at the end", `${"é".repeat(2000)}\ud83d`],
  ["a lone low surrogate at the beginning", `\udc00${"é".repeat(2000)}`],
  ["a pair at each place of a piece", `${"é".repeat(2047)}😀${"é".repeat(2046)}😀`],
  [
    "lone high surrogates at the end of a piece",
    `${"é".repeat(2047)}\ud83d${"é".repeat(2046)}\ud83d\ud83d`,
  ],
  ["surrogates in the wrong order", "é\udc00\ud83dé".repeat(1000)],
  ["controls, as in ASCII", `é\0\r\n${"é\x7f\x80".repeat(2000)}`],
];

describe("writeUtf8()", () => {
  test.each(texts)("writes what TextEncoder does: %s", (_, text) => {
    const expected = new TextEncoder().encode(text);
    const into = Buffer.alloc(7 + expected.length + spareBytes + 1, 0xff);
    expect(writeUtf8(text, expected.length, into, 7)).toBe(expected.length);
    expect(Buffer.compare(into.subarray(7, 7 + expected.length), expected)).toBe(0);
    expect([into[6], into.at(-1)]).toEqual([0xff, 0xff]);
  });
});

describe("OutputBuffer.addUtf8()", () => {
  // The first call of each turn takes so much, later ones nothing: as a socket whose buffer is full.
  test.each([1, 2, 4095, 65_537, 10_000_000])("survives a sink that takes %d bytes", (size) => {
    const output = new OutputBuffer();
    const expected: Buffer[] = [];
    const chosen = size < 4095 ? texts.map(([name, text]) => [name, text.slice(0, 40)]) : texts;
    for (const [, text = ""] of [
      ...chosen,
      ["beyond the buffer", "é漢".repeat(size < 4095 ? 10 : 100_000)],
    ]) {
      output.addAscii("head\r\n");
      output.addUtf8(text);
      expected.push(Buffer.from("head\r\n"), Buffer.from(new TextEncoder().encode(text)));
    }
    const whole = Buffer.concat(expected);
    expect(output.byteLength).toBe(whole.length);
    const taken: Buffer[] = [];
    while (output.byteLength > 0) {
      let left = size;
      output.writeTo({
        write(data) {
          const piece = Buffer.from(Buffer.from(data).subarray(0, left));
          left -= piece.length;
          taken.push(piece);
          return piece.length;
        },
      });
    }
    expect(Buffer.compare(Buffer.concat(taken), whole)).toBe(0);
  });

  test("what is left of a text is its own, whatever others write meanwhile", () => {
    const [one, other] = [new OutputBuffer(), new OutputBuffer()];
    one.addUtf8("é".repeat(5000));
    other.addUtf8("ж".repeat(60_000));
    let calls = 0;
    one.writeTo({ write: () => (calls++ === 0 ? 200 : 0) });
    other.writeTo({ write: (data) => data.length });
    let rest = "";
    one.writeTo({
      write(data) {
        rest += Buffer.from(data).toString();
        return data.length;
      },
    });
    expect(rest === "é".repeat(4900)).toBe(true);
  });
});

/** Texts of any length and of any letters are sent whole. */
import { expect, test } from "bun:test";
import { newContext } from "../../../../src/http/response/head/head.ts";
import { installResponse } from "../../../../src/http/response/globals/install.ts";
import { OutputBuffer } from "../../../../src/http/response/output.ts";
import { encodeFixed, prepareResponse } from "../../../../src/http/response/response.ts";

installResponse();

const lengths = [16_383, 16_384, 65_536, 66_000, 73_000, 73_727, 73_728, 73_729, 131_072];

/** Letters that stand in for the last ones of a text, or the first one behind the first. */
const letters = ["x", "\xe9", "\u6f22", "\u{1f600}", "\ud83d"];

const rows = lengths.flatMap((length) =>
  letters.flatMap((letter) => {
    const rest = "x".repeat(length - letter.length);
    const all = letter.repeat(Math.floor(length / letter.length));
    return [
      [length, letter, "at the end", rest + letter],
      [length, letter, "behind the first", `x${letter}${rest.slice(1)}`],
      [length, letter, "everywhere", all],
      [length, letter, "at each second place", `x${letter}`.repeat(length / 2)],
    ] as const;
  }),
);

const longHead = { headers: { "X-Long": "y".repeat(3000) } };

test.each(rows)("%d letters, %j %s", (_length, _letter, _where, text) => {
  const expected = Buffer.from(text);
  for (const init of [undefined, longHead]) {
    for (const before of ["", "older output"]) {
      for (const head of [false, true]) {
        const output = new OutputBuffer();
        output.addAscii(before);
        const prepared = prepareResponse(new Response(text, init), { ...newContext(), head });
        if (prepared.type !== "fixed") throw new Error(prepared.type);
        encodeFixed(prepared, output);
        const sent = take(output, 40_000);
        const bodyAt = sent.indexOf("\r\n\r\n") + 4;
        expect(sent.toString("latin1", 0, bodyAt)).toStartWith(`${before}HTTP/1.1 200 OK\r\n`);
        expect(sent.toString("latin1", 0, bodyAt)).toContain(
          `\r\nContent-Length: ${expected.length}\r\n`,
        );
        expect(sent.subarray(bodyAt).equals(head ? Buffer.alloc(0) : expected)).toBe(true);
      }
    }
  }
});

/** What a socket gets that takes so many bytes at a time. */
function take(output: OutputBuffer, most: number): Buffer {
  const pieces: Buffer[] = [];
  const write = (data: string | Uint8Array) => {
    const bytes = Buffer.from(Buffer.from(data as string).subarray(0, most));
    pieces.push(bytes);
    return bytes.length;
  };
  while (!output.writeTo({ write }));
  return Buffer.concat(pieces);
}

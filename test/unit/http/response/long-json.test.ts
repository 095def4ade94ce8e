/** JSON of any length behind JSON of any other: how it is read depends on the one before. */
import { expect, test } from "bun:test";
import { newContext } from "../../../../src/http/response/head/head.ts";
import { installResponse } from "../../../../src/http/response/globals/install.ts";
import { OutputBuffer } from "../../../../src/http/response/output.ts";
import { encodeFixed, prepareResponse } from "../../../../src/http/response/response.ts";

installResponse();

const values: readonly (readonly [what: string, value: unknown])[] = [
  ["short", { a: 1 }],
  ["long", "x".repeat(100_000)],
  ["long, beyond Latin-1", "\u6f22".repeat(50_000)],
  ["long, Latin-1", "\xe9".repeat(50_000)],
  ["a little below long", "x".repeat(32 * 1024 - 3)],
  ["just long", "x".repeat(32 * 1024 - 2)],
  ["longer than what is copied whole", "x".repeat(300_000)],
];

const ways: readonly (readonly [how: string, make: (value: unknown) => Response])[] = [
  ["as it is", (value) => Response.json(value)],
  [
    "with a status and a field",
    (value) => Response.json(value, { status: 201, headers: { a: "b" } }),
  ],
  ["as a clone", (value) => Response.json(value).clone() as Response],
];

const rows = values.flatMap(([before, first]) =>
  values.flatMap(([what, second]) =>
    ways.map(([how, make]) => [what, how, before, first, second, make] as const),
  ),
);

test.each(rows)("%s, %s, behind %s", (_what, _how, _before, first, second, make) => {
  for (const value of [first, second]) {
    const [head, body] = sent(make(value));
    expect(head).toContain(`\r\nContent-Length: ${Buffer.byteLength(JSON.stringify(value))}\r\n`);
    expect(head).toContain("content-type: application/json;charset=utf-8\r\n");
    // Not toEqual: it would show both.
    expect(body === JSON.stringify(value)).toBe(true);
  }
});

test("HEAD says the length of what it has not, behind a long one too", () => {
  for (const value of ["x".repeat(100_000), "x".repeat(100_000), 1]) {
    const [head, body] = sent(Response.json(value), true);
    expect(head).toContain(`\r\nContent-Length: ${JSON.stringify(value).length}\r\n`);
    expect(body).toBe("");
  }
});

test("one that was read is broken, behind a long one too", async () => {
  sent(Response.json("x".repeat(100_000)));
  const used = Response.json(1);
  await used.text();
  expect(prepareResponse(used, newContext())).toMatchObject({ type: "broken" });
});

function sent(response: Response, head = false): [head: string, body: string] {
  const prepared = prepareResponse(response, { ...newContext(), head });
  if (prepared.type !== "fixed") throw new Error(prepared.type);
  const output = new OutputBuffer();
  encodeFixed(prepared, output);
  const pieces: Buffer[] = [];
  output.writeTo({ write: (data) => pieces.push(Buffer.from(data)) && data.length });
  const bytes = Buffer.concat(pieces);
  const at = bytes.indexOf("\r\n\r\n") + 4;
  return [bytes.toString("latin1", 0, at), bytes.toString("utf8", at)];
}

/** What a Response was given is what it sends, unless its Headers have changed: asked three times, so that it is known by then. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { givenFields } from "../../../../../src/http/response/globals/body.ts";
import { newContext } from "../../../../../src/http/response/head/head.ts";
import { installResponse } from "../../../../../src/http/response/globals/install.ts";
import { knownFields } from "../../../../../src/http/response/head/known-fields.ts";
import { prepareResponse } from "../../../../../src/http/response/response.ts";

installResponse();

/** The lines that the app has a say in: of the server's own, no name begins in lower case. */
function linesOf(response: Response): string[] {
  const prepared = prepareResponse(response, newContext());
  if (prepared.type === "broken") return [prepared.message];
  return prepared.head.split("\r\n").filter((line) => /^(?:x-|content-)/.test(line));
}

const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-known-"));
const [page, bytes, others] = ["page.html", "some.bin", "other.bin"].map((name) => {
  const path = join(folder, name);
  writeFileSync(path, name);
  return path;
}) as [string, string, string];

const bare = { headers: { "X-A": "1" } };

const rows: [claim: string, make: (n: number) => Response, lines: (n: number) => string[]][] = [
  ["an object", () => new Response("a", bare), () => ["x-a: 1"]],
  [
    "another object each time",
    () => new Response("a", { headers: { "X-A": "1" } }),
    () => ["x-a: 1"],
  ],
  [
    "another value each time",
    (n) => new Response(null, { headers: { "X-A": `${n}` } }),
    (n) => [`x-a: ${n}`],
  ],
  [
    "one more field each time",
    (n) => new Response(null, { headers: n === 2 ? { "X-A": "1", "X-B": "2" } : { "X-A": "1" } }),
    (n) => (n === 2 ? ["x-a: 1", "x-b: 2"] : ["x-a: 1"]),
  ],
  [
    "one name in two cases",
    () => new Response(null, { headers: { "X-A": "1", "x-a": "2" } }),
    () => ["x-a: 1, 2"],
  ],
  [
    "a value with blanks around it",
    () => new Response(null, { headers: { "X-A": " 1 " } }),
    () => ["x-a: 1"],
  ],
  [
    "a number",
    () => new Response(null, { headers: { "X-A": 1 as unknown as string } }),
    () => ["x-a: 1"],
  ],
  ["pairs", () => new Response(null, { headers: [["X-A", "1"]] }), () => ["x-a: 1"]],
  ["Headers", () => new Response(null, { headers: new Headers({ "X-A": "1" }) }), () => ["x-a: 1"]],
  [
    "what inherits nothing",
    () => new Response(null, { headers: Object.assign(Object.create(null), { "X-A": "1" }) }),
    () => ["x-a: 1"],
  ],
  [
    "what inherits a field",
    () => new Response(null, { headers: Object.create({ "X-A": "1" }) }),
    () => [],
  ],
  [
    "a field that is set later",
    () => changed((headers) => headers.set("X-A", "2")),
    () => ["x-a: 2"],
  ],
  [
    "a field that is appended",
    () => changed((headers) => headers.append("X-A", "2")),
    () => ["x-a: 1, 2"],
  ],
  ["a file", () => new Response(Bun.file(page)), () => [`content-type: ${Bun.file(page).type}`]],
  [
    "a file of bytes",
    () => new Response(Bun.file(bytes)),
    () => [
      "content-type: application/octet-stream",
      'content-disposition: inline; filename="some.bin"',
    ],
  ],
  [
    "another file of bytes each time",
    (n) => new Response(Bun.file(n === 1 ? bytes : others)),
    (n) => [
      "content-type: application/octet-stream",
      `content-disposition: inline; filename="${n === 1 ? "some.bin" : "other.bin"}"`,
    ],
  ],
  [
    "a file whose type is given",
    (n) => new Response(Bun.file(page, { type: `x/y${n}` })),
    (n) => [`content-type: x/y${n}`],
  ],
  [
    "a file with a field that is set later",
    () => changed((headers) => headers.set("X-A", "2"), new Response(Bun.file(page))),
    () => [`content-type: ${Bun.file(page).type}`, "x-a: 2"],
  ],
  [
    "a file whose type is taken away",
    () => changed((headers) => headers.delete("content-type"), new Response(Bun.file(page))),
    // In upper case: the server's own, of bytes.
    () => ['content-disposition: inline; filename="page.html"'],
  ],
  [
    "a file with another field",
    () => new Response(Bun.file(page), bare),
    () => [`content-type: ${Bun.file(page).type}`, "x-a: 1"],
  ],
  ["a field that is taken away", () => changed((headers) => headers.delete("X-A")), () => []],
  [
    "a field that is set for one of them",
    (n) => changed((headers) => n === 2 && headers.set("X-A", "2")),
    (n) => [n === 2 ? "x-a: 2" : "x-a: 1"],
  ],
  [
    "Headers of somebody else that change",
    () => {
      const response = new Response("a", bare);
      new Headers().set("a", "b");
      return response;
    },
    () => ["x-a: 1"],
  ],
  [
    "headers of its own",
    () =>
      Object.defineProperty(new Response("a", bare), "headers", {
        value: new Headers({ "X-B": "2" }),
      }),
    () => ["x-b: 2"],
  ],
  ["a subclass with headers of its own", () => new Dressed("a", bare), () => ["x-b: 2"]],
  ["a copy", () => new Response("a", new Response("b", bare)), () => ["x-a: 1"]],
  ["a clone", () => new Response("a", bare).clone() as Response, () => ["x-a: 1"]],
  ["JSON", () => Response.json({ a: 1 }), () => ["content-type: application/json;charset=utf-8"]],
  [
    "JSON of another type",
    () => Response.json(1, { headers: { "Content-Type": "x/y" } }),
    () => ["content-type: x/y"],
  ],
  [
    "JSON whose type is changed",
    (n) => {
      const response = Response.json(1);
      if (n === 2) response.headers.set("content-type", "x/y");
      return response;
    },
    (n) => [n === 2 ? "content-type: x/y" : "content-type: application/json;charset=utf-8"],
  ],
];

/** Made of each kind of body, without an option `headers`: the type that Bun puts into Headers, and whether it is asked. */
const bodiesAlone: readonly (readonly [
  kind: string,
  make: () => Bun.BodyInit | null | undefined,
  type: string | null,
  known: boolean,
])[] = [
  ["a text", () => "a", null, true],
  ["a number", () => 5 as unknown as string, null, true],
  ["null", () => null, null, true],
  ["undefined", () => undefined, null, true],
  ["a view", () => new Uint8Array(3), null, true],
  ["a buffer", () => new ArrayBuffer(3), null, true],
  ["a stream", () => new ReadableStream({}), null, true],
  ["a generator", () => chunks() as unknown as ReadableStream, null, true],
  [
    "an iterable",
    () => ({ [Symbol.asyncIterator]: chunks }) as unknown as ReadableStream,
    null,
    false,
  ],
  ["a Blob", () => new Blob(["a"]), null, false],
  ["a Blob with a type", () => new Blob(["a"], { type: "x/y" }), "x/y", false],
  [
    "a form",
    () => new URLSearchParams("a=b"),
    "application/x-www-form-urlencoded;charset=UTF-8",
    false,
  ],
];

async function* chunks(): AsyncGenerator<string> {
  yield "a";
}

describe("a body alone", () => {
  test.each(bodiesAlone)("of %s", (_kind, make, type, known) => {
    const response = new Response(make());
    expect(givenFields(response) !== null).toBe(known);
    const fields = givenFields(response)?.fields ?? null;
    expect(fields === null || fields.contentType).toBe(fields === null || type !== null);
    expect(response.headers.get("content-type")).toBe(type);
    response.headers.set("X-A", "1");
    expect(givenFields(response)).toBeNull();
  });

  test.each([
    ["a status", { status: 404 }],
    ["headers that are undefined", { headers: undefined }],
  ] as [string, ResponseInit][])("with %s", (_what, init) => {
    expect(linesOf(new Response("a", init))).toEqual([]);
    expect(givenFields(new Response("a", init))?.fields).not.toBeNull();
    const response = new Response("a", init);
    response.headers.append("X-A", "1");
    expect(linesOf(response)).toEqual(["x-a: 1"]);
  });

  test("with the fields of another Response", () => {
    const other = new Response(null, { headers: { "X-A": "1" } });
    expect(linesOf(new Response("a", other))).toEqual(["x-a: 1"]);
  });
});

class Dressed extends Response {
  override get headers(): Headers {
    return new Headers({ "X-B": "2" });
  }
}

function changed(
  change: (headers: Headers) => unknown,
  response = new Response("a", { headers: { "X-A": "1" } }),
): Response {
  change(response.headers);
  return response;
}

describe("the fields of a Response", () => {
  test.each(rows)("%s", (_claim, make, lines) => {
    for (const n of [1, 2, 3, 4]) expect(linesOf(make(n))).toEqual(lines(n));
  });

  test("two Responses that were given the same say it both, also when one has changed meanwhile", () => {
    const [one, two, three] = [1, 2, 3].map(() => new Response("a", bare)) as [
      Response,
      Response,
      Response,
    ];
    two.headers.set("X-A", "2");
    expect([one, two, three].map(linesOf)).toEqual([["x-a: 1"], ["x-a: 2"], ["x-a: 1"]]);
  });

  test("they are known where they come again, and have not changed", () => {
    const response = new Response("a", { headers: { "X-Known": "1" } });
    expect(givenFields(response)).toBe(knownFields({ "X-Known": "1" }));
    expect(givenFields(new Response("a", { headers: { "X-Known": "1" } }))).toBe(
      givenFields(response),
    );
    response.headers.set("X-Known", "2");
    expect(givenFields(response)).toBeNull();
  });

  test("where each answer has others, those that come again are found all the same", () => {
    for (let n = 0; n < 1000; n += 1)
      expect(linesOf(new Response("a", { headers: { "X-A": `${n}` } }))).toEqual([`x-a: ${n}`]);
    const ask = () => new Response("a", { headers: { "X-A": "again" } });
    for (let n = 0; n < 100; n += 1) expect(linesOf(ask())).toEqual(["x-a: again"]);
    expect(givenFields(ask())).not.toBeNull();
  });

  test("beside those that are known, others are found, however many came before", () => {
    const ask = (value: string) => new Response("a", { headers: { "X-A": value } });
    for (let n = 0; n < 100; n += 1) for (const value of [`other ${n}`, "usual"]) ask(value);
    for (let n = 0; n < 64; n += 1) for (const value of ["rare", "usual"]) ask(value);
    expect(givenFields(ask("rare"))).not.toBeNull();
  });
});

test.each(["append", "set", "delete"] as const)(
  "Headers.%s() shows what the native one shows",
  (name) => {
    const method = Headers.prototype[name] as (...args: unknown[]) => unknown;
    expect([method.name, method.length]).toEqual([name, name === "delete" ? 1 : 2]);
    expect(() => method.call(new Headers())).toThrow(TypeError);
    expect(() => method.call({}, "a", "b")).toThrow(TypeError);
  },
);

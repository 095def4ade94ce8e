/** Response.json() of a worker beside Bun's own. */
import { expect, test } from "bun:test";
import { NativeResponse } from "../../../../src/http/response/globals/body.ts";
import { installResponse } from "../../../../src/http/response/globals/install.ts";

const nativeJson = NativeResponse.json;

installResponse();

type Make = (json: typeof Response.json) => Response;

const of =
  (value: unknown): Make =>
  (json) =>
    json.call(Response, value);

const cycle: Record<string, unknown> = {};
cycle["self"] = cycle;

const rows: readonly (readonly [what: string, make: Make])[] = [
  ["an object", of({ a: 1, b: [true, null, "x"], c: undefined })],
  ["an array", of([undefined, () => 1, Symbol("s"), Number.NaN])],
  ["null", of(null)],
  ["a text", of('a"b')],
  ["a number", of(-0)],
  ["letters", of(["\u00e9\u6f22\u0000\u2028\ud800"])],
  ["a date", of(new Date(0))],
  ["a boxed text", of(Object("x"))],
  ["a proxy", of(new Proxy({ a: 1 }, {}))],
  ["toJSON()", of({ toJSON: () => ({ b: 2 }) })],
  ["toJSON() that gives nothing", of({ toJSON: () => undefined })],
  ["toJSON() that throws", of({ toJSON: () => nothing() })],
  ["a cycle", of(cycle)],
  ["a bigint within", of({ a: 10n })],
  ["a bigint", of(10n)],
  ["undefined", of(undefined)],
  ["a function", of(() => 1)],
  ["no argument", (json) => Reflect.apply(json, Response, [])],
  ["options that are undefined", (json) => json.call(Response, { a: 1 }, undefined)],
  ["a status", (json) => json.call(Response, { a: 1 }, { status: 201, statusText: "Made" })],
  ["a type of its own", (json) => json.call(Response, {}, { headers: { "content-type": "a/b" } })],
  ["without a this", (json) => Reflect.apply(json, undefined, [{ a: 1 }])],
];

test.each(rows)("%s: says what Bun's own says", async (_what, make) => {
  expect(await outcome(make, Response.json)).toEqual(await outcome(make, nativeJson));
});

test("each has Headers of its own", () => {
  const first = Response.json({ a: 1 });
  first.headers.set("content-type", "a/b");
  first.headers.append("set-cookie", "secret=1");
  const second = Response.json({ a: 2 });
  second.headers.delete("content-type");
  expect([...Response.json({ a: 3 }).headers]).toEqual([
    ["content-type", "application/json;charset=utf-8"],
  ]);
  expect(first.headers.get("set-cookie")).toBe("secret=1");
});

test("the value is looked at when it is given", async () => {
  const value = { a: 1 };
  const response = Response.json(value);
  value.a = 2;
  expect(await response.text()).toBe('{"a":1}');
});

async function outcome(make: Make, json: typeof Response.json): Promise<unknown> {
  try {
    const response = make(json);
    const copy = response.clone();
    const { status, statusText, type, url, ok, redirected } = response;
    const fields = [...response.headers];
    const { type: bodyType } = await (copy as Response).blob();
    const shown = Bun.inspect(response);
    const text = await response.text();
    return [status, statusText, type, url, ok, redirected, fields, bodyType, shown, text];
  } catch (error) {
    return String(error);
  }
}

function nothing(): never {
  throw new RangeError("nothing");
}

import { expect, test } from "bun:test";
import { AppImportError } from "../../../src/modules/errors.ts";
import { parseReference } from "../../../src/modules/reference.ts";

const plain: [text: string, module: string, path: string[] | null][] = [
  ["app", "app", null],
  ["./src/app.ts", "./src/app.ts", null],
  ["@scope/package", "@scope/package", null],
  ["app:fetch", "app", ["fetch"]],
  ["app:default.api", "app", ["default", "api"]],
  ["app:$_é1", "app", ["$_é1"]],
  [" app : fetch ", "app", ["fetch"]],
];

test.each(plain)("parseReference() reads %p", (text, module, path) => {
  const target = path === null ? null : { text: path.join("."), path, call: null };
  expect(parseReference(text)).toEqual({ module, target });
});

const calls: [args: string, values: unknown[]][] = [
  ["", []],
  [`"blue", 3`, ["blue", 3]],
  [`'it''s'`.replace("''", "\\'"), ["it's"]],
  [`'say "hi"'`, ['say "hi"']],
  [`"a\\n\\u0041"`, ["a\nA"]],
  [`'a:b)', "(,"`, ["a:b)", "(,"]],
  ["-1, +2, 0.5, 1e3, -1.5E-2", [-1, 2, 0.5, 1000, -0.015]],
  ["true, false, null", [true, false, null]],
  ["[1, [2, 'x'], []]", [[1, [2, "x"], []]]],
  [`{ debug: true, "a b": [1], 'c': {} }`, [{ debug: true, "a b": [1], c: {} }]],
  [" 1 , ", [1]],
  ["[1,], {a: 1,}", [[1], { a: 1 }]],
];

test.each(calls)("parseReference() reads the arguments (%s)", (args, values) => {
  expect(parseReference(`app:create(${args})`).target?.call).toEqual(values);
});

test("parseReference() makes __proto__ a key like any other", () => {
  const [value] = parseReference(`app:create({"__proto__": 1})`).target?.call ?? [];
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(Object.keys(value as object)).toEqual(["__proto__"]);
});

const form = "an app is MODULE:EXPORT, such as app:fetch";
const bind = "; an address to listen on is --bind";
const unparsed = (text: string, target: string) =>
  `Failed to parse '${target}' as an attribute name or function call: got '${text}', ${form}`;

const refused: [text: string, message: string][] = [
  ["", `No application module specified: '', ${form}`],
  [" ", `No application module specified: ' ', ${form}`],
  [":fetch", `No application module specified: ':fetch', ${form}`],
  [":8000", `No application module specified: ':8000', ${form}${bind} :8000`],
  ["https://foo", `No application module specified: 'https://foo' is a URL, ${form}`],
  [
    "http://127.0.0.1:80/x",
    `No application module specified: 'http://127.0.0.1:80/x' is a URL, ${form}`,
  ],
  ["0.0.0.0:80", `${unparsed("0.0.0.0:80", "80")}${bind} 0.0.0.0:80`],
  ...["", "f(", "f(1", "a b", "a..b", "a[0]", "1x", "(1)", "f() + 1"].map(
    (target): [string, string] => [`app:${target}`, unparsed(`app:${target}`, target)],
  ),
  ["app:a.b(1)", "Function reference must be a simple name: 'a.b(1)'"],
  ...[
    "x",
    "f()",
    "1 2",
    ",",
    "1,,2",
    "debug=True",
    "True",
    "undefined",
    "0x10",
    "01",
    ".5",
    "1.",
    "1n",
    "1_000",
    "- 1",
    "`a`",
    "'a",
    '"\\x41"',
    "[1",
    "[1 2]",
    "{a}",
    "{1: 2}",
    "{a: 1",
    "...a",
    ")(",
    "process.exit()",
  ].map((args): [string, string] => [
    `app:f(${args})`,
    `Failed to parse arguments as literal values: 'f(${args})'`,
  ]),
];

test.each(refused)("parseReference() refuses %p", (text, message) => {
  expect(() => parseReference(text)).toThrow(new AppImportError(message));
});

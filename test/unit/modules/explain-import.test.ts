import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { explainImport } from "../../../src/modules/explain-import.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "gunicorn-ts-imports-")));
afterAll(() => rmSync(folder, { recursive: true }));

const files: Readonly<Record<string, string>> = {
  "package.json": `{"dependencies": {"@scope/listed": "1"}, "devDependencies": {"types": "1"}}`,
  "src/helper.ts": "",
  "node_modules/there/package.json": `{"exports": {"./a": "./a.js"}}`,
  "node_modules/there/a.js": "",
};
for (const [name, text] of Object.entries(files)) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}

symlinkSync("round", join(folder, "src/round"));

const rows: [specifier: string, says: string | null][] = [
  ["express", "express isn't installed: bun add express"],
  ["express/lib/router", "express isn't installed: bun add express"],
  ["@hono/node-server", "@hono/node-server isn't installed: bun add @hono/node-server"],
  ["@scope/listed/part", "@scope/listed isn't installed: bun install"],
  ["types", "types isn't installed: bun install"],
  ["helper", "helper.ts stands beside it: a path begins with ./, did you mean './helper'?"],
  ["./helpr", "did you mean './helper'?"],
  ["./helper.js.ts", "did you mean './helper.ts'?"],
  ["../src/hepler", "did you mean '../src/helper'?"],
  ["./lib/helper", "did you mean './helper'?"],
  ["../helper", "did you mean './helper'?"],
  ["./nothing-like-it", null],
  ["round", "round isn't installed: bun add round"],
  ["./round", null],
  ["./round/a", null],
  ["@/db", null],
  ["~/db", null],
  ["#alias", null],
  ["node:nothing", null],
  ["there/b", null],
];

test.each([
  ...rows.map((row) => ["import", ...row] as const),
  ...rows.map((row) => ["require", ...row] as const),
])("what Bun can't resolve of %s %p is explained", async (way, specifier, says) => {
  const name = `${way}-${Bun.hash(specifier)}.${way === "import" ? "ts" : "cjs"}`;
  const file = join(folder, "src", name);
  const text = JSON.stringify(specifier);
  writeFileSync(file, way === "import" ? `import x from ${text}; x();` : `require(${text});`);
  const error: unknown = await import(file).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  expect(explainImport(error)).toBe(says);
});

test.each([
  ["another error", new Error("Cannot find package 'express'")],
  ["a text", "Cannot find package 'express'"],
  ["nothing", undefined],
])("of %s there is nothing to say", (_what, thrown) => {
  expect(explainImport(thrown)).toBeNull();
});

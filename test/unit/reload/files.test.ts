import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expand, homeOf } from "../../../src/reload/extra-files.ts";
import { loadedModules, sourcesOf } from "../../../src/reload/modules.ts";

let folder: string;

const files: Readonly<Record<string, string>> = {
  "app.ts": `import { a } from "./lib/a"; import type { T } from "./types.ts"; import hono from "hono";
    import data from "./data.json"; export { z } from "./lib"; const later = () => import("./later.js");
    import { s } from "@/alias/s.ts";
    export const fetch = () => new Response(a + data.x);`,
  "lib/a.ts": `import "../app.ts"; export const b = require("./b.cjs"); export const a = 1;`,
  "lib/b.cjs": `exports.b = 1;`,
  "lib/index.ts": `export const z = 1;`,
  "later.ts": `export const broken = (`,
  "types.ts": `export type T = string;`,
  "data.json": `{"x":1}`,
  "alias/s.ts": `export { s } from "./t.ts";`,
  "alias/t.ts": `export const s = 1;`,
  "missing.ts": `import "./nowhere"; import "absent/part"; import "@scope/absent";`,
  "tsconfig.json": `{"compilerOptions":{"paths":{"@/*":["./*"]}}}`,
  "node_modules/hono/package.json": `{"name":"hono","main":"index.js"}`,
  "node_modules/hono/index.js": `export default 1;`,
  "pages/.hidden/x.html": "",
  "pages/.dot.html": "",
  "pages/a.html": "",
  "pages/b.txt": "",
  "pages/deep/c.html": "",
  "pages/node_modules/p/d.html": "",
  "[id]/e.html": "",
};

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "gunicorn-ts-files-")));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function below(paths: Iterable<string>): string[] {
  return [...paths].map((path) => path.replace(`${folder}/`, "")).sort();
}

const direct = ["app.ts", "data.json", "later.ts", "lib/a.ts", "lib/b.cjs", "lib/index.ts"];

describe("sourcesOf()", () => {
  test.each(["app", "app.ts", "app.js"])("follows the imports of %s", (name) => {
    expect(below(sourcesOf(join(folder, name)))).toEqual(direct);
  });

  test("follows aliases too, if told so, and no packages", () => {
    expect(below(sourcesOf(join(folder, "app.ts"), { deep: true }))).toEqual(
      [...direct, "alias/s.ts", "alias/t.ts"].sort(),
    );
  });

  test("lists each name that a missing file could get", () => {
    const found = below(sourcesOf(join(folder, "none")));
    expect(found).toContain("none.ts");
    expect(found).toContain("none/index.js");
    expect(below(sourcesOf(join(folder, "missing.ts")))).toContain("nowhere.mts");
  });

  test("lists where a missing package would be", () => {
    const found = below(sourcesOf(join(folder, "missing.ts"), { deep: true }));
    expect(found).toContain("node_modules/absent/package.json");
    expect(found).toContain("node_modules/@scope/absent/package.json");
  });

  test("leaves out packages and the server itself", () => {
    expect([...sourcesOf(join(folder, "node_modules/hono/index.js"))]).toEqual([]);
    expect([...sourcesOf(join(import.meta.dir, "../../../src/reload/modules.ts"))]).toEqual([]);
  });
});

test("loadedModules() knows modules of every kind, also those with a query, without the server's", async () => {
  await import(join(folder, "lib/a.ts?generation=7"));
  await import(join(folder, "data.json"));
  const found = loadedModules();
  for (const name of ["lib/a.ts", "lib/b.cjs", "data.json"]) {
    expect(found).toContain(join(folder, name));
  }
  expect(found.filter((path) => path.includes("src/reload"))).toEqual([]);
});

describe("expand()", () => {
  const rows: readonly [item: string, found: string[]][] = [
    ["pages/a.html", ["pages/a.html"]],
    ["pages/none.html", ["pages/none.html"]],
    ["pages", ["pages/a.html", "pages/b.txt", "pages/deep/c.html"]],
    ["pages/*.html", ["pages/a.html"]],
    ["pages/?.txt", ["pages/b.txt"]],
    ["pages/.*.html", ["pages/.dot.html"]],
    ["pages/**/*.html", ["pages/a.html", "pages/deep/c.html"]],
    ["pages/[ab].*", ["pages/a.html", "pages/b.txt"]],
    ["[id]/e.html", ["[id]/e.html"]],
    ["[id]", ["[id]/e.html"]],
    ["none/*.html", []],
    ["pages/*.css", []],
  ];
  test.each(rows)("%s", (item, found) => {
    expect(below(expand(join(folder, item)))).toEqual(found);
  });

  test.each([
    ["pages/a.html", "pages"],
    ["pages", "pages"],
    ["pages/*.html", "pages"],
    ["pages/**/x/*.html", "pages"],
    ["none.txt", ""],
  ])("the home of %s is '%s'", (item, home) => {
    expect(homeOf(join(folder, item))).toBe(join(folder, home).replace(/\/$/, ""));
  });
});

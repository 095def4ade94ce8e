import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findModule } from "../../../src/modules/find.ts";
import { importModule, withoutLoad } from "../../../src/modules/import.ts";

const files: Readonly<Record<string, string>> = {
  "app.ts": "export const bornMs = performance.now();",
  "app.js": "",
  "exact.weird": "",
  "folder/index.mjs": "",
  "tool.ts": "",
  "package.json": `{"name":"it","imports":{"#alias":"./tool.ts"}}`,
  "node_modules/tool/package.json": `{"name":"tool","main":"main.js"}`,
  "node_modules/tool/main.js": "",
  "node_modules/other/package.json": `{"name":"other","main":"main.js"}`,
  "node_modules/other/main.js": "",
};

let folder: string;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "gunicorn-ts-find-")));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("findModule()", () => {
  test.each([
    ["app", "app.ts"],
    ["./app", "app.ts"],
    ["app.js", "app.js"],
    ["exact.weird", "exact.weird"],
    ["folder", "folder/index.mjs"],
    // A file goes before a package of that name.
    ["tool", "tool.ts"],
    ["other", "node_modules/other/main.js"],
    ["#alias", "tool.ts"],
  ])("%s is %s", (name, file) => {
    expect(findModule(name, folder)).toBe(join(folder, file));
  });

  test.each(["none", "./other", "../none", "@scope/none"])("there is no %s", (name) => {
    expect(findModule(name, folder)).toBeNull();
  });

  test("takes other extensions if it is told so", () => {
    expect(findModule("./package", folder)).toBeNull();
    expect(findModule("./package", folder, [".json"])).toBe(join(folder, "package.json"));
  });

  test.each(["other/none", "#none"])("a resolver's error passes through: %s", (name) => {
    expect(() => findModule(name, folder)).toThrow(/^Cannot find (?:package|module) /);
  });
});

test("importModule() evaluates a file again under another load only", async () => {
  const path = join(folder, "app.ts");
  const first = await importModule(path);
  expect(await importModule(path, 0)).toBe(first);
  const second = await importModule(path, 1);
  expect(second["bornMs"]).not.toBe(first["bornMs"]);
  expect(await importModule(path, 1)).toBe(second);
});

test("withoutLoad() leaves no trace of it", () => {
  expect(withoutLoad("at /a.ts?load=2:3:7, from /b.ts?load=13")).toBe("at /a.ts:3:7, from /b.ts");
});

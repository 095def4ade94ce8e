import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../../../src/api/errors.ts";
import { findConfigFile } from "../../../../src/config/sources/find-file.ts";
import { loadHooks, readConfigFile } from "../../../../src/config/sources/read-file.ts";
import { log } from "../../../../src/log/custom/logger.ts";
import { TemporaryFolder } from "../temporary-folder.ts";

const fixtures = join(import.meta.dir, "../../../fixtures/config");

async function read(file: string, generation = 1): Promise<Record<string, unknown>> {
  const path = join(fixtures, file);
  return Object.fromEntries(await readConfigFile(path, fixtures, generation));
}

describe("findConfigFile()", () => {
  test.each([
    [null, "default-export", "default-export/gunicorn.conf.ts"],
    [null, "named-exports", "named-exports/gunicorn.conf.mjs"],
    [null, "json", "json/gunicorn.conf.json"],
    ["default-export/gunicorn.conf.ts", ".", "default-export/gunicorn.conf.ts"],
    ["file:default-export/gunicorn.conf.ts", ".", "default-export/gunicorn.conf.ts"],
    [`file:${fixtures}/json/gunicorn.conf.json`, "/", "json/gunicorn.conf.json"],
    [`file://${fixtures}/json/gunicorn.conf.json`, "/", "json/gunicorn.conf.json"],
    ["module:./default-export/gunicorn.conf.ts", ".", "default-export/gunicorn.conf.ts"],
    ["module:./default-export/gunicorn.conf", ".", "default-export/gunicorn.conf.ts"],
  ])("finds %p in %s", (reference, cwd, file) => {
    expect(findConfigFile(reference, join(fixtures, cwd))).toBe(join(fixtures, file));
  });

  test("finds none where there is none", () => {
    expect(findConfigFile(null, join(fixtures, "broken"))).toBeNull();
  });

  test("finds a package's module", () => {
    using folder = new TemporaryFolder();
    mkdirSync(join(folder.path, "node_modules/shared-config"), { recursive: true });
    folder.write("node_modules/shared-config/index.js", "export default { workers: 6 };");
    const path = join(folder.path, "node_modules/shared-config/index.js");
    expect(findConfigFile("module:shared-config", folder.path)).toBe(path);
  });

  test.each([
    [
      null,
      "two-files",
      "gunicorn.conf.ts and gunicorn.conf.js both exist: keep one, or name one with --config",
    ],
    ["nope.ts", ".", "'nope.ts' doesn't exist"],
    ["file:nope.ts", ".", "'nope.ts' doesn't exist"],
    ["broken", ".", "'broken' doesn't exist"],
    ["python:conf.prod", ".", "python:conf.prod: Python only; use module:NAME"],
    ["module:nope-config", ".", "can't find module 'nope-config'"],
    [import.meta.dir + "/../../../../LICENSE", ".", "must be a .ts, .js, .mjs or .json file, got"],
  ])("refuses %p in %s", (reference, cwd, message) => {
    const find = () => findConfigFile(reference, join(fixtures, cwd));
    expect(find).toThrow(ConfigError);
    expect(find).toThrow(message);
  });
});

describe("readConfigFile()", () => {
  test("reads a default export", async () => {
    expect(await read("default-export/gunicorn.conf.ts")).toEqual({
      workers: 3,
      bind: ["127.0.0.1:9001", "127.0.0.1:9002"],
      whenReady: expect.any(Function),
      preRequest: expect.any(Function),
    });
  });

  test("reads named exports", async () => {
    const values = { workers: "0x10", timeout: 5, onStarting: expect.any(Function) };
    expect(await read("named-exports/gunicorn.conf.mjs")).toEqual(values);
  });

  test("reads JSON", async () => {
    const values = { workers: 2, bind: "127.0.0.1:9003", loglevel: "DEBUG" };
    expect(await read("json/gunicorn.conf.json")).toEqual(values);
  });

  test("reads CommonJS", async () => {
    using folder = new TemporaryFolder({ "a.js": "module.exports = { workers: 2, timeout: 5 };" });
    const values = await readConfigFile(join(folder.path, "a.js"), folder.path, 1);
    expect(Object.fromEntries(values)).toEqual({ workers: 2, timeout: 5 });
  });

  test.each([
    [
      "a.ts",
      `import { defineConfig, log } from "gunicorn-ts"; export default defineConfig({ postFork: () => log });`,
    ],
    [
      "a.cjs.js",
      `const { defineConfig, log } = require("gunicorn-ts"); module.exports = defineConfig({ postFork: () => log });`,
    ],
  ])("%s of a folder without packages imports the server that runs", async (name, text) => {
    using folder = new TemporaryFolder({ [name]: text });
    const values = await readConfigFile(join(folder.path, name), folder.path, 1);
    expect((values.get("postFork") as () => unknown)()).toBe(log);
  });

  test("takes undefined for not set", async () => {
    using folder = new TemporaryFolder({ "a.ts": "export default { workers: undefined };" });
    expect((await readConfigFile(join(folder.path, "a.ts"), folder.path, 1)).size).toBe(0);
  });

  test("evaluates a changed file again in the next generation, also after an error", async () => {
    using folder = new TemporaryFolder({ "a.ts": "export const workers: number = 1;" });
    const readAgain = async (generation: number) =>
      (await readConfigFile(join(folder.path, "a.ts"), folder.path, generation)).get("workers");
    expect(await readAgain(1)).toBe(1);
    folder.write("a.ts", "export const workers: number = 2;");
    expect(await readAgain(2)).toBe(2);
    folder.write("a.ts", "export const workers: number = ;");
    await expect(readAgain(3)).rejects.toThrow("a.ts:1:32: Unexpected ;");
    folder.write("a.ts", "export const workers: number = 4;");
    expect(await readAgain(4)).toBe(4);
  });

  test.each([
    ["throws.ts", "broken/throws.ts:3:11: no luck"],
    ["throws-text.ts", 'broken/throws-text.ts: "a text"'],
    ["throws-elsewhere.ts", "broken/throws-elsewhere.ts: broken/far.ts:2:13: TypeError: far away"],
    [
      "import.ts",
      `broken/import.ts: Cannot find module './missing.ts' imported from ${fixtures}/broken/import.ts`,
    ],
    ["number.ts", "broken/number.ts: the default export must be an object of settings, got number"],
    [
      "function.ts",
      "broken/function.ts: the default export must be an object of settings, got function",
    ],
    [
      "both.ts",
      "broken/both.ts: has a default export and timeout: settings stand in one or the other",
    ],
    ["nothing.ts", "broken/nothing.ts: exports nothing"],
    ["snake.ts", "broken/snake.ts: worker_class: unknown setting, did you mean workerClass?"],
    ["near.ts", "broken/near.ts: keepAlive: unknown setting, did you mean keepalive?"],
    ["unknown.ts", "broken/unknown.ts: banana: unknown setting"],
    [
      "helper.ts",
      "broken/helper.ts: helper: unknown setting; every export is taken for a setting, so helpers stay unexported",
    ],
    [
      "config.ts",
      "broken/config.ts: config: only the command line and GUNICORN_CMD_ARGS may set it",
    ],
  ])("refuses %s", async (file, message) => {
    await expect(read(`broken/${file}`)).rejects.toThrow(new ConfigError(message));
  });

  // Written here, as no formatter gets past them.
  test.each([
    [
      "syntax.ts",
      "export default {\n  workers: 1\n  bind: 2,\n};\n",
      'syntax.ts:3:3: Expected "}" but found "bind"',
    ],
    [
      "text.json",
      '{ "workers" 2 }',
      "text.json: JSON Parse error: Expected ':' before value in object property definition",
    ],
  ])("refuses the syntax of %s", async (name, text, message) => {
    using folder = new TemporaryFolder({ [name]: text });
    const reading = readConfigFile(join(folder.path, name), folder.path, 1);
    await expect(reading).rejects.toThrow(new ConfigError(message));
  });

  test("keeps what a file threw as the cause", async () => {
    const error = await read("broken/throws.ts").catch((thrown: unknown) => thrown as Error);
    expect(error["cause"]).toEqual(new Error("no luck"));
  });
});

describe("loadHooks()", () => {
  test("gives the hooks and nothing else", async () => {
    const hooks = await loadHooks(join(fixtures, "default-export/gunicorn.conf.ts"));
    expect(Object.keys(hooks).sort()).toEqual(["preRequest", "whenReady"]);
    expect(hooks.preRequest).toBeFunction();
  });
});

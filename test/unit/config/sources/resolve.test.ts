import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ConfigError, UsageError } from "../../../../src/api/errors.ts";
import { type ConfigInputs, resolveConfig } from "../../../../src/config/sources/resolve.ts";
import { settingEntries, settingOf } from "../../../../src/config/settings.ts";
import { configData } from "../../../../src/config/data.ts";
import type { Config } from "../../../../src/config/types.ts";
import { TemporaryFolder } from "../temporary-folder.ts";

const fixtures = join(import.meta.dir, "../../../fixtures/config");
/** A folder without a standard configuration file. */
const nowhere = join(fixtures, "broken");

function resolve(inputs: Partial<ConfigInputs> = {}) {
  return resolveConfig({
    argv: [],
    env: {},
    cwd: nowhere,
    generation: 1,
    platform: "linux",
    cpuCount: () => 7,
    ...inputs,
  });
}

type Case = readonly [name: string, inputs: Partial<ConfigInputs>, expected: Partial<Config>];

const file = { cwd: join(fixtures, "default-export") };
const unset: Partial<Config> = {
  bind: ["127.0.0.1:8000"],
  workers: 1,
  forwardedAllowIps: settingOf("forwardedAllowIps").default as Config["forwardedAllowIps"],
  sendfile: null,
};
const fromFile = ["127.0.0.1:9001", "127.0.0.1:9002"];

describe("resolveConfig() takes", () => {
  test.each<Case>([
    ["defaults", {}, { workers: 1, bind: ["127.0.0.1:8000"], reusePort: true, chdir: nowhere }],
    ["the platform's default", { platform: "darwin" }, { reusePort: false }],
    ["PORT", { env: { PORT: "5000" } }, { bind: ["0.0.0.0:5000"] }],
    ["WEB_CONCURRENCY", { env: { WEB_CONCURRENCY: "4" } }, { workers: 4 }],
    [
      "empty variables as not set",
      {
        env: {
          PORT: "",
          WEB_CONCURRENCY: "",
          GUNICORN_CMD_ARGS: "",
          FORWARDED_ALLOW_IPS: "",
          SENDFILE: "",
        },
      },
      unset,
    ],
    [
      "blank variables as not set",
      {
        env: {
          PORT: " ",
          WEB_CONCURRENCY: "\t",
          GUNICORN_CMD_ARGS: " \n",
          FORWARDED_ALLOW_IPS: "  ",
          SENDFILE: " ",
        },
      },
      unset,
    ],
    ["the file rather than an empty variable", { ...file, env: { PORT: "" } }, { bind: fromFile }],
    ["auto from WEB_CONCURRENCY", { env: { WEB_CONCURRENCY: "auto" } }, { workers: 7 }],
    ["auto from the command line", { argv: ["-w", "auto"] }, { workers: 7 }],
    ["the file", file, { workers: 3, bind: fromFile }],
    [
      "the file rather than the environment's defaults",
      { ...file, env: { PORT: "5000", WEB_CONCURRENCY: "4" } },
      { workers: 3, bind: fromFile },
    ],
    [
      "GUNICORN_CMD_ARGS rather than the file, lists replaced",
      { ...file, env: { GUNICORN_CMD_ARGS: "--bind :1" } },
      { workers: 3, bind: [":1"] },
    ],
    [
      "the command line rather than GUNICORN_CMD_ARGS, lists replaced",
      { ...file, argv: ["-b", ":2", "-b", ":3"], env: { GUNICORN_CMD_ARGS: "-b :1 -w 5" } },
      { workers: 5, bind: [":2", ":3"] },
    ],
    [
      "quoted words of GUNICORN_CMD_ARGS, without its positional ones",
      { env: { GUNICORN_CMD_ARGS: "other:app -e 'A=b c'" } },
      { rawEnv: ["A=b c"], wsgiApp: null },
    ],
    [
      "the file that GUNICORN_CMD_ARGS names",
      { env: { GUNICORN_CMD_ARGS: "-c ../json/gunicorn.conf.json" } },
      { workers: 2, loglevel: "debug" },
    ],
    [
      "the file that the command line names, and no other",
      {
        ...file,
        argv: ["-c", "../named-exports/gunicorn.conf.mjs"],
        env: { GUNICORN_CMD_ARGS: "-c ../json/gunicorn.conf.json" },
      },
      { workers: 16, loglevel: "info", bind: ["127.0.0.1:8000"] },
    ],
    [
      "a directory from where the program was started",
      { argv: ["--chdir", "../json"] },
      { chdir: join(fixtures, "json") },
    ],
    ["an unused bad variable", { argv: ["-b", ":1"], env: { PORT: "abc" } }, { bind: [":1"] }],
    ["the app as process name", { argv: ["hello:fetch"] }, { defaultProcName: "hello:fetch" }],
    ["the product as process name", {}, { defaultProcName: "gunicorn-ts" }],
  ])("%s", async (_name, inputs, expected) => {
    expect((await resolve(inputs)).config).toMatchObject(expected);
  });
});

describe("resolveConfig() refuses", () => {
  const broken = (name: string) => ({ argv: ["-c", `${name}.ts`] });
  test.each<readonly [message: string, inputs: Partial<ConfigInputs>]>([
    ["--workers: must be at least 1, got 0", { argv: ["-w", "0"] }],
    ["--workers: must be at least 1, got -1", { argv: ["-w", "-1"] }],
    ["GUNICORN_CMD_ARGS: --workers: must be at least 1, got 0", cmdArgs("-w 0")],
    ["GUNICORN_CMD_ARGS: no closing quotation mark: '", cmdArgs("-b 'x")],
    ["WEB_CONCURRENCY: must be a whole number or auto, got 'x'", { env: { WEB_CONCURRENCY: "x" } }],
    ["WEB_CONCURRENCY: must be at least 1, got 0", { env: { WEB_CONCURRENCY: "0" } }],
    ["PORT: must be a port number from 0 to 65535, got 'x'", { env: { PORT: "x" } }],
    ["PORT: must be a port number from 0 to 65535, got '-1'", { env: { PORT: "-1" } }],
    ["PORT: must be a port number from 0 to 65535, got '65536'", { env: { PORT: "65536" } }],
    [
      "WEB_CONCURRENCY: must be a whole number or auto, got '1.5'",
      { env: { WEB_CONCURRENCY: "1.5" } },
    ],
    ["value.ts: workers: must be at least 1, got 0", broken("value")],
    ["value.ts: workers: must be at least 1, got 0", { argv: ["-c", "value.ts", "-w", "2"] }],
    [
      "arity.ts: onExit: must be a function with at most 1 parameter, got one with 2",
      broken("arity"),
    ],
    ["throws.ts:3:11: no luck", broken("throws")],
    ["--config: 'nope.ts' doesn't exist", broken("nope")],
    ["GUNICORN_CMD_ARGS: --config: 'x' doesn't exist", cmdArgs("-c x")],
    ["--chdir: can't chdir to 'nope'", { argv: ["--chdir", "nope"] }],
    ["--env: must be KEY=VALUE, got 'FOO'", { argv: ["-e", "FOO"] }],
    [
      "--log-level: must be debug, info, warning, error or critical, got 'foo'",
      { argv: ["--log-level", "foo"] },
    ],
    ["--dirty-app: not supported yet", { argv: ["--dirty-app", "a:B"] }],
    ["GUNICORN_CMD_ARGS: --dirty-app: not supported yet", cmdArgs("--dirty-app a:B")],
    ["planned.ts: dirtyApps: not supported yet", broken("planned")],
    [
      "FORWARDED_ALLOW_IPS: must be IP addresses, networks (10.0.0.0/8) or *, got 'x'",
      { env: { FORWARDED_ALLOW_IPS: "x" } },
    ],
    ["--paste: Python only; pass MODULE:EXPORT", { argv: ["--paste", "a.ini"] }],
    [
      "python.ts: pythonpath: Python only; use paths in tsconfig.json, or NODE_PATH",
      broken("python"),
    ],
    [
      "--tolerate-dangerous-framing: refused: such requests are request smuggling",
      { argv: ["--tolerate-dangerous-framing"] },
    ],
    [
      "--keep-alive: can't be set with worker class serve: Bun.serve has one idle timer for keep-alive, uploads and responses together, the app's option idleTimeout",
      { argv: ["-k", "serve", "--keep-alive", "5"] },
    ],
  ])("%s", async (message, inputs) => {
    await expect(resolve(inputs)).rejects.toThrow(new ConfigError(message));
  });

  test.each<readonly [message: string, inputs: Partial<ConfigInputs>]>([
    ["argument -w/--workers: invalid int value: 'x'", { argv: ["-w", "x"] }],
    ["GUNICORN_CMD_ARGS: argument -w/--workers: invalid int value: 'x'", cmdArgs("-w x")],
    ["GUNICORN_CMD_ARGS: unrecognized arguments: --x", cmdArgs("--x")],
    ["GUNICORN_CMD_ARGS: --help belongs on the command line", cmdArgs("-h")],
    ["one APP_MODULE is taken, got: a:b c:d", { argv: ["a:b", "c:d"] }],
  ])("with a usage error: %s", async (message, inputs) => {
    await expect(resolve(inputs)).rejects.toThrow(new UsageError(message));
  });

  function cmdArgs(text: string): Partial<ConfigInputs> {
    return { env: { GUNICORN_CMD_ARGS: text } };
  }
});

describe("resolveConfig()", () => {
  test("takes the app from the command line, then from wsgiApp, else none", async () => {
    using folder = new TemporaryFolder({ "gunicorn.conf.ts": `export const wsgiApp = "b:c";` });
    expect((await resolve({ cwd: folder.path, argv: ["a:b"] })).app).toBe("a:b");
    expect((await resolve({ cwd: folder.path })).app).toBe("b:c");
    expect((await resolve()).app).toBeNull();
  });

  test("names the file that it read", async () => {
    expect((await resolve(file)).configFile).toBe(join(file.cwd, "gunicorn.conf.ts"));
    expect((await resolve()).configFile).toBeNull();
  });

  test("gives a value for every setting, deeply frozen", async () => {
    const { config } = await resolve(file);
    expect(Object.keys(config)).toEqual(settingEntries.map(([key]) => key));
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.bind)).toBe(true);
    expect(Object.isFrozen(config.secureSchemeHeaders)).toBe(true);
  });

  test("reads the file again in the next generation", async () => {
    using folder = new TemporaryFolder({ "gunicorn.conf.ts": "export const workers = 2;" });
    const workers = async (generation: number) =>
      (await resolve({ cwd: folder.path, generation })).config.workers;
    expect(await workers(1)).toBe(2);
    folder.write("gunicorn.conf.ts", "export const workers = 5;");
    expect(await workers(2)).toBe(5);
    folder.write("gunicorn.conf.ts", "export const workers = 0;");
    await expect(workers(3)).rejects.toThrow(
      "gunicorn.conf.ts: workers: must be at least 1, got 0",
    );
  });

  test("leaves the process alone", async () => {
    const before = { cwd: process.cwd(), env: { ...process.env } };
    await resolve({ argv: ["--chdir", "..", "-e", "A=1"] });
    expect({ cwd: process.cwd(), env: { ...process.env } }).toEqual(before);
  });
});

describe("configData()", () => {
  test("is plain data: everything but the hooks", async () => {
    const { config } = await resolve(file);
    const data = configData(config);
    expect(structuredClone(data)).toEqual(data);
    const functions = settingEntries.filter(([, { kind }]) => kind.takes === "function");
    expect(Object.keys(data)).toHaveLength(settingEntries.length - functions.length);
    expect(data).not.toContainKeys(["whenReady"]);
    expect(data.workers).toBe(3);
  });
});

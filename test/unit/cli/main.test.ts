import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import packageJson from "../../../package.json";

const program = fileURLToPath(new URL("../../../bin/gunicorn-ts.ts", import.meta.url));
const apps = join(import.meta.dir, "../../fixtures/config/apps");
const noModule =
  "No application module specified. Name a file, or MODULE:EXPORT: gunicorn-ts server.ts";
const usage = "usage: gunicorn-ts [OPTIONS] [APP_MODULE]\n";

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** Runs the program to its end, in the folder of the apps. */
async function run(words: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  await using child = Bun.spawn([process.execPath, program, ...words], {
    cwd: apps,
    env: { PATH: process.env["PATH"], ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { stdout, stderr, code: await child.exited };
}

describe("main()", () => {
  test.each(["-v", "--version"])("%s prints the version", async (flag) => {
    const stdout = `gunicorn-ts (version ${packageJson.version})\n`;
    expect(await run([flag])).toEqual({ stdout, stderr: "", code: 0 });
  });

  test.each(["-h", "--help"])("%s prints help", async (flag) => {
    const { stdout, stderr, code } = await run([flag]);
    expect(stdout).toStartWith(usage);
    expect(stdout).toContain("\nWorker Processes:\n");
    expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  });

  test.each([
    [["-w", "abc"], "argument -w/--workers: invalid int value: 'abc'"],
    [["--x", "hello"], "unrecognized arguments: --x"],
    [["--bind"], "argument -b/--bind: expected one argument"],
    [["hello", "hello:fetch"], "one APP_MODULE is taken, got: hello hello:fetch"],
  ])("%j is a usage error", async (words, message) => {
    const stderr = `${usage}gunicorn-ts: error: ${message}\n`;
    expect(await run(words)).toEqual({ stdout: "", stderr, code: 2 });
  });

  test("a bad GUNICORN_CMD_ARGS is a usage error", async () => {
    const stderr = `${usage}gunicorn-ts: error: GUNICORN_CMD_ARGS: unrecognized arguments: --x\n`;
    const outcome = await run(["hello"], { GUNICORN_CMD_ARGS: "--x" });
    expect(outcome).toEqual({ stdout: "", stderr, code: 2 });
  });

  test.each([
    [[], noModule],
    [["--check-config"], noModule],
    [
      ["-k", "hello:fetch"],
      "No application module specified. 'hello:fetch' is taken for the value of --worker-class",
    ],
    [["-w", "0", "hello"], "--workers: must be at least 1, got 0"],
    [["-c", "nope.ts", "hello"], "--config: 'nope.ts' doesn't exist"],
    [["-c", "../broken/throws.ts", "hello"], `${join(apps, "../broken/throws.ts")}:3:11: no luck`],
    [["--dirty-app", "a:B", "hello"], "--dirty-app: not supported yet"],
    [["--check-config", "-b", "[::1]:x", "hello"], "--bind: 'x' is not a valid port number."],
  ])("%j is a configuration error", async (words, message) => {
    expect(await run(words)).toEqual({ stdout: "", stderr: `Error: ${message}\n`, code: 1 });
  });

  test("--check-config says nothing when all is well", async () => {
    const silence = { stdout: "", stderr: "", code: 0 };
    expect(await run(["--check-config", "hello:fetch"])).toEqual(silence);
  });

  test("--check-config imports the app with raw_env, in production, from chdir", async () => {
    const words = ["--check-config", "-e", "COLOUR=blue", "--chdir", "../apps", "environment"];
    expect(await run(words)).toEqual({ stdout: "", stderr: "", code: 0 });
  });

  test.each(["", " "])("NODE_ENV=%j is production", async (NODE_ENV) => {
    const words = ["--check-config", "-e", "COLOUR=blue", "--chdir", "../apps", "environment"];
    expect(await run(words, { NODE_ENV })).toEqual({ stdout: "", stderr: "", code: 0 });
  });

  test("--check-config tells a wrong reference in one line", async () => {
    const { stdout, stderr, code } = await run(["--check-config", "hello:nope"]);
    expect(stderr).toMatch(/^Error while loading the application:\n\n.*nope.*\n$/);
    expect({ stdout, code }).toEqual({ stdout: "", code: 1 });
  });

  test("--check-config shows the stack of what the app throws", async () => {
    const { stderr, code } = await run(["--check-config", "broken"]);
    expect(stderr).toStartWith("Error while loading the application:\n\nRangeError: app is broken");
    expect(stderr).toContain("broken.ts:1:");
    expect(code).toBe(1);
  });

  test("--print-config prints, then checks", async () => {
    const { stdout, stderr, code } = await run(["--print-config", "-w", "3", "hello:nope"]);
    expect(stdout).toMatch(/^workers +(?<sign>=) 3$/m);
    expect(stderr).toStartWith("Error while loading the application:");
    expect(code).toBe(1);
  });
});

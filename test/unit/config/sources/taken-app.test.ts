/** Words that stand where a newcomer takes them to belong. */
import { describe, expect, test } from "bun:test";
import { resolveConfig } from "../../../../src/config/sources/resolve.ts";

async function refusal(argv: readonly string[]): Promise<string> {
  const machine = { platform: "linux", cpuCount: () => 7 };
  const inputs = { argv, env: {}, cwd: import.meta.dir, generation: 1, ...machine };
  return resolveConfig(inputs).then(
    ({ app }) => `app ${app}`,
    (error: Error) => error.message,
  );
}

describe("the app as the value of a flag:", () => {
  test.each([
    [
      ["-t", "app:fetch"],
      "argument -t/--timeout: invalid int value: 'app:fetch' (the app? -t takes a value of its own: -t INT app:fetch)",
    ],
    [
      ["--timeout=app:create(1)"],
      "argument -t/--timeout: invalid int value: 'app:create(1)' (the app? -t takes a value of its own: -t INT app:create(1))",
    ],
    [
      ["-w", "./src/app.ts:default"],
      "argument -w/--workers: invalid int value: './src/app.ts:default' (the app? -w takes a value of its own: -w INT ./src/app.ts:default)",
    ],
    [
      ["--reuse-port", "-b", "app:fetch"],
      "--bind: 'fetch' is not a valid port number. (the app? --bind takes a value of its own: --bind ADDRESS app:fetch)",
    ],
    [
      ["-c", "app:fetch"],
      "--config: 'app:fetch' doesn't exist (the app? --config takes a value of its own: --config CONFIG app:fetch)",
    ],
    [
      ["--proxy-protocol", "app:fetch"],
      "--proxy-protocol: must be off, v1, v2 or auto, got 'app:fetch' (the app? --proxy-protocol takes a value of its own: --proxy-protocol MODE app:fetch)",
    ],
    // It is named: the value is wrong, and nothing else.
    [["-t", "app:fetch", "app"], "argument -t/--timeout: invalid int value: 'app:fetch'"],
    [["-b", "a:b", "app"], "--bind: 'b' is not a valid port number."],
    [["-t", "thirty"], "argument -t/--timeout: invalid int value: 'thirty'"],
    [["-t", "http://app"], "argument -t/--timeout: invalid int value: 'http://app'"],
    [["-b", "unix:app.sock", "-w", "0"], "--workers: must be at least 1, got 0"],
    // Whoever serves says that there is none.
    [["-k", "app:fetch"], "app null"],
  ])("%j", async (argv, says) => {
    expect(await refusal(argv)).toBe(says);
  });
});

describe("more words than one:", () => {
  test.each([
    [["app", "other"], ""],
    [["run", "app:fetch"], " (run is no command here, leave it out)"],
    [["start", "app.ts"], " (start is no command here, leave it out)"],
    [["app:fetch", "127.0.0.1:8000"], " (an address is --bind 127.0.0.1:8000)"],
    [["app:fetch", ":8000"], " (an address is --bind :8000)"],
    [["app:fetch", "8000"], " (a port is --bind :8000)"],
    [["serve", "app", "80"], " (serve is no command here, leave it out; a port is --bind :80)"],
  ])("%j", async (argv, hint) => {
    expect(await refusal(argv)).toBe(`one APP_MODULE is taken, got: ${argv.join(" ")}${hint}`);
  });
});

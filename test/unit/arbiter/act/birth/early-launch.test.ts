/** When the first worker's process is started before the configuration is known, and when it was the right one. */
import { describe, expect, test } from "bun:test";
import {
  isSameLaunch,
  likelyEnvironment,
  mayStartEarly,
  type ProgramStart,
} from "../../../../../src/arbiter/act/birth/early-launch.ts";
import type { WorkerLaunch } from "../../../../../src/arbiter/act/birth/worker-process.ts";

const plain: ProgramStart = { words: ["app"], env: { PATH: "/bin" }, execArgv: [], bunfig: "" };

describe("mayStartEarly()", () => {
  const servers: [claim: string, start: Partial<ProgramStart>][] = [
    ["an app", {}],
    ["no word: the configuration may name the app", { words: [] }],
    [
      "usual flags",
      { words: ["-w", "4", "-b", ":8000", "--reload", "--access-logfile", "-", "a:b"] },
    ],
    ["the usual worker class, by name", { words: ["-k", "async", "app"] }],
    ["in one word", { words: ["-kasync", "app"] }],
    ["by the long flag", { words: ["--worker-class", "async", "app"] }],
    ["and with a sign", { words: ["--worker-class=async", "app"] }],
    ["a flag that begins as one of the others", { words: ["--workers", "2", "--enrich-response"] }],
    ["flags of the environment", { env: { GUNICORN_CMD_ARGS: "-w 4 --threads=2" } }],
    ["what a user's shell sets", { env: { BUN_INSTALL: "/root/.bun", NODE_ENV: "test" } }],
    ["an executable", { execArgv: ["--no-install"] }],
    ["a bunfig.toml", { bunfig: "[install]\nregistry = 'https://example.com'" }],
  ];
  test.each(servers)("%s", (_claim, start) => {
    expect(mayStartEarly({ ...plain, ...start })).toBe(true);
  });

  const words = [
    ["-h"],
    ["--help"],
    ["--he"],
    ["-v"],
    ["--version"],
    ["app", "-D"],
    ["app", "--daemon"],
    ["-DR", "app"],
    ["--check-config"],
    ["--check"],
    ["--print-config"],
    ["--request", "/"],
    ["--request=/"],
    ["-e", "A=1"],
    ["-eA=1"],
    ["--env", "A=1"],
    ["--env=A=1"],
    ["-k", "serve"],
    ["-ksync"],
    ["--worker-class=serve"],
    ["--worker-c", "serve"],
    ["-m", "022"],
    ["--umask=022"],
    ["--chdir", "examples"],
    ["--capture-output"],
  ];
  test.each(words.map((each) => [each.join(" "), each] as const))("not with %s", (text, each) => {
    expect(mayStartEarly({ ...plain, words: each })).toBe(false);
    expect(mayStartEarly({ ...plain, env: { GUNICORN_CMD_ARGS: text } })).toBe(false);
  });

  const others: [claim: string, start: Partial<ProgramStart>][] = [
    ["another master's sockets", { env: { GUNICORN_PID: "1", GUNICORN_FD: "3" } }],
    ["a daemon", { env: { GUNICORN_TS_DAEMON: "1" } }],
    ["the passphrase of a key", { env: { GUNICORN_KEYFILE_PASSWORD: "secret" } }],
    ["the token of the admin server", { env: { GUNICORN_ADMIN_TOKEN: "secret" } }],
    ["sockets of systemd", { env: { LISTEN_FDS: "1", LISTEN_PID: "7" } }],
    ["flags of Bun's in the environment", { env: { BUN_OPTIONS: "--inspect" } }],
    ["an inspector", { env: { BUN_INSPECT: "ws://localhost:1/" } }],
    ["flags of Bun's", { execArgv: ["--preload", "./x.ts"] }],
    ["code that Bun is told to run first", { bunfig: 'preload = ["./x.ts"]' }],
  ];
  test.each(others)("not with %s", (_claim, start) => {
    expect(mayStartEarly({ ...plain, ...start })).toBe(false);
  });
});

describe("likelyEnvironment()", () => {
  const rows: [claim: string, env: Record<string, string>, made: Record<string, string>][] = [
    ["names production", { A: "1" }, { A: "1", NODE_ENV: "production" }],
    ["names it where nothing is said", { NODE_ENV: " " }, { NODE_ENV: "production" }],
    ["keeps what is said", { NODE_ENV: "test" }, { NODE_ENV: "test" }],
    [
      "keeps the service manager's words to itself",
      { NOTIFY_SOCKET: "/x", WATCHDOG_USEC: "1", WATCHDOG_PID: "1" },
      { NODE_ENV: "production" },
    ],
  ];
  test.each(rows)("%s", (_claim, env, made) => {
    expect(likelyEnvironment(env, "us")).toEqual({ ...made, SERVER_SOFTWARE: "us" });
  });
});

describe("isSameLaunch()", () => {
  const given: WorkerLaunch = {
    words: ["bun", "main", "async"],
    cwd: "/srv",
    env: { PATH: "/bin", A: undefined },
    stdout: "inherit",
  };
  const rows: [claim: string, wanted: Partial<WorkerLaunch>, same: boolean][] = [
    ["is itself", {}, true],
    ["knows no difference between unset and absent", { env: { B: undefined, PATH: "/bin" } }, true],
    ["knows another class", { words: ["bun", "main", "serve"] }, false],
    ["knows no class", { words: ["bun", "main"] }, false],
    ["knows one word more", { words: ["bun", "main", "async", "x"] }, false],
    ["knows another folder", { cwd: "/" }, false],
    ["knows a variable more", { env: { PATH: "/bin", A: "" } }, false],
    ["knows a variable less", { env: {} }, false],
    ["knows another value", { env: { PATH: "/usr/bin" } }, false],
    ["knows another output", { stdout: 2 }, false],
  ];
  test.each(rows)("%s", (_claim, wanted, same) => {
    expect(isSameLaunch(given, { ...given, ...wanted })).toBe(same);
  });
});

import { describe, expect, test } from "bun:test";
import { UsageError } from "../../../../src/api/errors.ts";
import { readWords } from "../../../../src/cli/ctl/words.ts";

const read = (text: string) => readWords(text.split(" ").filter((word) => word !== ""));

describe("readWords()", () => {
  const rows: [text: string, asked: object][] = [
    ["show stats", { name: "show stats", words: ["show", "stats"], json: false, socket: null }],
    ["-s a.ctl show workers -j", { name: "show workers", socket: "a.ctl", json: true }],
    ["--pid app.pid reload", { name: "reload", pidFile: "app.pid", wait: false }],
    ["worker add --json 2", { name: "worker add", words: ["worker", "add", "2"], json: true }],
    ["shutdown --quick", { name: "shutdown", words: ["shutdown", "quick"] }],
    ["reload --wait", { name: "reload", words: ["reload"], wait: true, timeoutMs: 60_000 }],
    ["heap 7 /tmp/a.heapsnapshot", { name: "heap", words: ["heap", "7", "/tmp/a.heapsnapshot"] }],
    ["profile 7 1.5 a --timeout 2", { name: "profile", timeoutMs: 2000 }],
    ["tune", { name: "tune", watchMs: 60_000, apply: false }],
    ["tune --seconds 5 --apply -j", { name: "tune", watchMs: 5000, apply: true, json: true }],
    ["wait --ready --timeout 1.5", { name: "wait", timeoutMs: 1500 }],
  ];
  test.each(rows)("%s", (text, asked) => {
    expect(read(text)).toMatchObject(asked);
  });

  test.each(["", "--help", "show stats -h"])("shows help for '%s'", (text) => {
    expect(read(text)).toBeNull();
  });

  const refused: [text: string, why: RegExp][] = [
    ["bogus", /^Unknown command: bogus$/],
    ["workers", /^Unknown command: workers, did you mean show workers\?$/],
    ["stat", /^Unknown command: stat, did you mean show stats\?$/],
    ["relaod", /^Unknown command: relaod, did you mean reload\?$/],
    ["tpo", /^Unknown command: tpo, did you mean top\?$/],
    ["stop", /^Unknown command: stop, did you mean shutdown\?$/],
    ["restart", /^Unknown command: restart, did you mean reload\?$/],
    ["toString", /^Unknown command: tostring$/],
    ["--bogus reload", /^Unknown option '--bogus'$/],
    ["--control-socket a reload", /^Unknown option '--control-socket', did you mean --socket\?$/],
    ["--jsno reload", /^Unknown option '--jsno', did you mean --json\?$/],
    ["--socket", /--socket/],
    ["reload --quick", /^--quick belongs to shutdown, not to reload$/],
    ["shutdown --wait", /^--wait belongs to reload, not to shutdown$/],
    ["reload --timeout 3", /^--timeout belongs to --wait$/],
    [
      "show stats --timeout 3",
      /^--timeout belongs to wait and reload and heap and profile, not to show stats$/,
    ],
    ["wait", /^wait: for what\? --ready is missing$/],
    ["wait now --ready", /^wait: takes no words, got 'now'$/],
    ["wait --ready --timeout soon", /^--timeout must be a number of seconds, got 'soon'$/],
    ["-s a -p b reload", /^--socket and --pid name two servers$/],
    ["tune --seconds 1", /^--seconds must be at least 2 seconds, got '1'$/],
    ["tune --seconds x", /^--seconds must be at least 2 seconds, got 'x'$/],
    ["tune 5", /^tune: takes no words, got '5'$/],
    ["scale 2 --apply", /^--apply belongs to tune, not to scale$/],
    ["heap 7", /^heap: takes PID FILE, got 1 words$/],
    ["heap 7 a b", /^heap: takes PID FILE, got 3 words$/],
    ["heap x a", /^PID must be a whole number from 1 on, got 'x'$/],
    ["profile 7 0 a", /^SECONDS must be a number above 0, and at most 3600, got '0'$/],
    ["profile 7 3601 a", /^SECONDS must be a number above 0, and at most 3600, got '3601'$/],
    ["scale", /^scale: N is missing$/],
    ["shutdown graceful --quick", /^shutdown: takes one word, got 'quick' too$/],
  ];
  test.each(refused)("refuses %s", (text, why) => {
    expect(() => read(text)).toThrow(UsageError);
    expect(() => read(text)).toThrow(why);
  });
});

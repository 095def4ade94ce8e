/** What shells complete, each by its own code. */
import { describe, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { ctl } from "../support/ctl.ts";

const place = { folder: tmpdir() };

/** Prints the candidates for the last of the words, with the script in $1. */
const programs = {
  bash: `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gunicorn_ts; echo "\${COMPREPLY[*]}"`,
  zsh: `compdef() { : }; _files() { : }; compadd() { shift; local -a fit; for each in "$@"; do [[ $each == "$words[CURRENT]"* ]] && fit+=($each); done; print -r -- "$fit" };
    source "$1"; shift; words=("$@"); CURRENT=$#; _gunicorn_ts`,
  fish: `source $argv[1]; complete -C (string join ' ' -- $argv[2..-1]) | cut -f1 | string join ' '`,
} as const;

const rows: [words: string[], candidates: string][] = [
  [["--worker-c"], "--worker-class --worker-connections"],
  [["ctl", "s"], "scale show shutdown"],
  [["ctl", "show", ""], "config listeners load requests stats workers"],
  [["ctl", "-j", "show", "li"], "listeners"],
  [["ctl", "worker", ""], "add kill remove restart"],
  [["ctl", "log-level", "d"], "debug"],
  [["ctl", "shutdown", ""], "graceful quick"],
  [["ctl", "--soc"], "--socket"],
  [["ctl", "completion", ""], "bash fish zsh"],
];

describe.each(Object.keys(programs) as (keyof typeof programs)[])("%s", (shell) => {
  const path = Bun.which(shell);
  const needs = path === null ? ` (needs ${shell})` : "";
  test.skipIf(path === null)(
    `completes commands and flags${needs}`,
    async () => {
      const { code, out } = await ctl(place, `completion ${shell}`);
      expect(code).toBe(0);
      const script = `${tmpdir()}/gunicorn-ts-completion-${process.pid}.${shell}`;
      await Bun.write(script, out);
      try {
        for (const [words, candidates] of rows) {
          const given = [script, "gunicorn-ts", ...words];
          const args = shell === "fish" ? given : [shell, ...given];
          const options =
            shell === "fish" ? ["--no-config", "-c"] : shell === "zsh" ? ["-fc"] : ["-c"];
          const child = Bun.spawn([shell, ...options, programs[shell], ...args], {
            cwd: "/",
            env: { PATH: process.env["PATH"], HOME: tmpdir() },
            stdio: ["ignore", "pipe", "pipe"],
          });
          const [seen, complaints] = await Promise.all([
            new Response(child.stdout).text(),
            new Response(child.stderr).text(),
          ]);
          const sorted = seen.trim().split(" ").sort().join(" ");
          expect([words, sorted, complaints]).toEqual([words, candidates, ""]);
        }
      } finally {
        await Bun.file(script).unlink();
      }
    },
    120_000,
  );
});

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { mayBeGunicorn } from "../../../src/os/processes.ts";
import { until } from "../../support/server.ts";

/** A process whose command line begins with these words. */
function sleeper(name: string) {
  return Bun.spawn(["sleep", "60"], { argv0: name });
}

test.each([
  ["gunicorn: master [app]", true],
  ["gunicorn: worker [app]", false],
  ["/srv/web/node_modules/.bin/gunicorn-ts", true],
  ["/usr/bin/gunicorn", true],
  ["nginx: master process", false],
  ["vim-gunicorn-ts.conf", false],
])("mayBeGunicorn() of %j", async (name, expected) => {
  const child = sleeper(name);
  try {
    // It has none for a moment.
    await until("its command line", () => readFileSync(`/proc/${child.pid}/cmdline`).length > 0);
    expect(mayBeGunicorn(child.pid)).toBe(expected);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
  expect(mayBeGunicorn(child.pid)).toBe(false);
});

test("mayBeGunicorn() of a thread", () => {
  const thread = readdirSync("/proc/self/task").find((id) => Number(id) !== process.pid);
  expect(mayBeGunicorn(Number(thread))).toBe(false);
});

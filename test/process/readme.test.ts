/** README's first screen: its app, its commands, and what it shows of the log. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { allReplaced, gunicorn } from "../support/server.ts";

const readme = readFileSync(join(import.meta.dir, "../../README.md"), "utf8");

/** The code of the page that begins so. */
function code(begin: RegExp): string {
  const block = [...readme.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)].find(([, text = ""]) =>
    begin.test(text),
  );
  return block?.[1] ?? "";
}

/** Lines of the log without times, pids and port. */
function shapeOf(log: string): string[] {
  const lines = log.split("\n").filter((line) => line.startsWith("["));
  return lines.map((line) => line.replace(/^\[[^\]]*\]/, "").replace(/\d{2,}/g, "N"));
}

test("README's log is what its app logs, until the reload is over", async () => {
  const files = { "app.ts": code(/^\/\/ app\.ts\n/) };
  await using server = await gunicorn({ files, app: "app:fetch" });
  expect(await (await server.fetch()).text()).toBe("Hello, World!\n");
  const before = await server.settled(1);
  server.kill("SIGHUP");
  await allReplaced(() => server.workers(), before);
  await server.logged(`Worker exiting (pid: ${before[0]})`);
  expect(shapeOf(server.log)).toEqual(shapeOf(code(/^\$ bunx gunicorn-ts app:fetch &/)));
  expect(await server.stop()).toBe(0);
});

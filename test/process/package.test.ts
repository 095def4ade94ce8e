import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { install } from "../support/package.ts";
import { gunicorn, until } from "../support/server.ts";

const root = join(import.meta.dir, "../..");

test("the published package serves by bunx, with a configuration that imports it, and obeys HUP, TTIN, TTOU and TERM", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  await install(folder);
  const config = `import { defineConfig } from "gunicorn-ts"; export default defineConfig({ workers: 3 });`;
  await using server = await gunicorn({
    folder,
    files: {
      "hello.ts": `export const fetch = () => new Response("hello");`,
      "gunicorn.conf.ts": config,
    },
    app: "hello:fetch",
    program: "gunicorn-ts",
    runtimeArgs: ["x"],
  });
  const before = await server.settled(3);
  server.kill("SIGHUP");
  await until("replaced", () => server.workers().every((pid) => !before.includes(pid)));
  await server.settled(3);
  server.kill("SIGTTIN");
  await server.settled(4);
  server.kill("SIGTTOU");
  await server.settled(3);
  expect(await (await fetch(server.url)).text()).toBe("hello");
  expect(await server.stop()).toBe(0);
}, 30_000);

test("the published package has the bench, without its results, and it finds its app in the caller's folder", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  await install(folder);
  const place = join(folder, "node_modules/gunicorn-ts/bench");
  expect(existsSync(join(place, "drivers/wrk-scripts/common.lua"))).toBe(true);
  expect(existsSync(join(place, "results"))).toBe(false);
  writeFileSync(join(folder, "hello.ts"), `export const fetch = () => new Response("hello");`);
  // Replays a report: this is about the package, not about the generator.
  const report = join(root, "test/unit/bench/recorded/oha-1.16.0-good.json");
  const script = `#!/bin/sh\ncase "$1" in\n--version) echo "oha 1.16.0" ;;\n--help) ;;\n*) exec cat ${report} ;;\nesac\n`;
  writeFileSync(join(folder, "oha"), script, { mode: 0o755 });
  const words = ["tune", "hello:fetch", "--smoke", "--driver", "oha"];
  const run = Bun.spawn([process.execPath, "node_modules/gunicorn-ts/bench/main.ts", ...words], {
    cwd: folder,
    env: { PATH: `${folder}:${process.env["PATH"]}`, HOME: process.env["HOME"] },
    stdio: ["ignore", "pipe", "inherit"],
  });
  expect(await run.stdout.text()).toContain("Recommended for hello:fetch: --workers 1.");
  expect(await run.exited).toBe(0);
}, 30_000);

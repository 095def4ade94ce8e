import { expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunicorn, until } from "../support/server.ts";

const root = join(import.meta.dir, "../..");

/** Installs what would be published into a folder, as a package manager does, without its registry. */
function install(folder: string): void {
  const packed = mkdtempSync(join(tmpdir(), "gunicorn-ts-pack-"));
  Bun.spawnSync([process.execPath, "pm", "pack", "--quiet", "--destination", packed], {
    cwd: root,
  });
  const [tarball] = [...new Bun.Glob("*.tgz").scanSync({ cwd: packed, absolute: true })];
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "gunicorn-ts"), { recursive: true });
  Bun.spawnSync(["tar", "-xzf", String(tarball), "--strip-components=1"], {
    cwd: join(modules, "gunicorn-ts"),
  });
  for (const name of ["citty", "consola"]) {
    cpSync(join(root, "node_modules", name), join(modules, name), { recursive: true });
  }
  mkdirSync(join(modules, ".bin"));
  symlinkSync("../gunicorn-ts/bin/gunicorn-ts.ts", join(modules, ".bin/gunicorn-ts"));
}

test("the published package serves by bunx, with a configuration that imports it, and obeys HUP, TTIN, TTOU and TERM", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  install(folder);
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

/** Nothing that is asked of the program makes Bun fetch a package and run it. */
import { expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmptyRegistry } from "../support/packaging/registry.ts";
import { program } from "../support/server.ts";

const app = `export const fetch = () => new Response("ok");`;

test.each([
  [["-c", "module:some-package", "app"], {}, "can't find module 'some-package'"],
  [
    ["app"],
    { "gunicorn.conf.ts": `import "some-package";` },
    "some-package isn't installed: bun add some-package",
  ],
  [
    ["app"],
    { "gunicorn.conf.ts": `import x from "@some/package/x"; export const a = x;` },
    "@some/package isn't installed: bun add @some/package",
  ],
  [
    ["app"],
    {
      "gunicorn.conf.ts": `import "./one.ts";`,
      "one.ts": `import "./two";`,
      "two.js": `import "some-package";`,
    },
    "Error: two.js: some-package isn't installed: bun add some-package",
  ],
  [["--check-config", "app"], { "app.ts": `import "some-package"; ${app}` }, "some-package"],
  [["--print-config", "app"], { "app.ts": `import "some-package"; ${app}` }, "some-package"],
  [["--preload", "app"], { "app.ts": `import "some-package"; ${app}` }, "some-package"],
] as const)("%j with %j", async (args, files, complaint) => {
  await using registry = new EmptyRegistry();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "gunicorn-ts-empty-")));
  try {
    for (const [name, text] of Object.entries({ "app.ts": app, ...files })) {
      writeFileSync(join(folder, name), text);
    }
    await using child = Bun.spawn([process.execPath, program, "-b", "127.0.0.1:0", ...args], {
      cwd: folder,
      env: { PATH: process.env["PATH"], HOME: folder, BUN_CONFIG_REGISTRY: registry.url },
      stdio: ["ignore", "ignore", "pipe"],
    });
    expect(await child.stderr.text()).toContain(complaint);
    expect(await child.exited).toBe(1);
    expect(registry.asked).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

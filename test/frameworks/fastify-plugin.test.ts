/** What fastify-cli generates is a plugin, and no server: it runs without fastify-cli. */
import { expect, test } from "bun:test";
import { mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunicorn } from "../support/server.ts";
import { needsPackages } from "./installed.ts";

// localhost has two addresses on most machines: Fastify opens a server for each, where it isn't told which.
const common = `require("node:dns").lookup = (_host, _options, found) =>
  found(null, [{ address: "127.0.0.1", family: 4 }, { address: "::1", family: 6 }]);
module.exports = async function (fastify, opts) {
  fastify.get("/", async () => ({ root: true }));
};
module.exports.options = {};`;

const typed = `import type { FastifyPluginAsync } from "fastify";
const app: FastifyPluginAsync = async (fastify, opts): Promise<void> => {
  fastify.get("/", async () => ({ root: true }));
};
export default app;
export { app };`;

test.skipIf(needsPackages !== "").each([
  ["app.js", common, []],
  ["src/app.ts", typed, []],
  ["app.js", common, ["--app-type", "node"]],
  ["app.js", common, ["-k", "sync"]],
])(
  `a Fastify plugin in %s runs${needsPackages}`,
  async (name, text, args) => {
    const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
    symlinkSync(join(import.meta.dir, "node_modules"), join(folder, "node_modules"));
    await using server = await gunicorn({ folder, app: name, files: { [name]: text }, args });
    expect(await (await fetch(server.url)).json()).toEqual({ root: true });
    const missing = await fetch(new URL("/missing", server.url));
    expect([missing.status, await missing.json()]).toMatchObject([404, { error: "Not Found" }]);
    expect(await server.stop()).toBe(0);
    expect(server.log).not.toContain("isn't opened");
  },
  120_000,
);

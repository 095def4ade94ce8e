/** A framework's own hello, in its own way by itself, and under gunicorn-ts. Packages: package.json of this folder. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BenchError } from "../errors.ts";
import { freePort } from "../free-port.ts";
import { gunicornTs, type GunicornTsOptions } from "../servers/gunicorn-ts.ts";
import { BenchServer } from "../servers/server.ts";

const folder = import.meta.dir;

export type Framework = "express" | "fastify" | "hono";

/**
 * Starts it on a free port; doesn't wait for it. Installs the packages if they aren't there. `ours`: which checkout runs it;
 * null: it runs by itself.
 */
export async function startFramework(
  name: Framework,
  ours: Pick<GunicornTsOptions, "checkout"> | null,
): Promise<BenchServer> {
  await install();
  const port = freePort();
  const app = join(folder, `${name}.js`);
  const command =
    ours === null ? [process.execPath, app] : gunicornTs({ port, workers: 1, app, ...ours });
  return new BenchServer({ command, port, env: { PORT: String(port) } });
}

async function install(): Promise<void> {
  if (existsSync(join(folder, "node_modules/express"))) return;
  const installing = Bun.spawn([process.execPath, "install", "--frozen-lockfile"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said = await installing.stderr.text();
  if ((await installing.exited) === 0) return;
  throw new BenchError(`bun install in bench/frameworks: ${said.trim()}`);
}

/** A framework's own hello, in its own way by itself, and under gunicorn-ts. Packages: package.json of this folder. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BenchError } from "../errors.ts";
import { freePort } from "../free-port.ts";
import { gunicornTs } from "../servers/gunicorn-ts.ts";
import { BenchServer } from "../servers/server.ts";

const folder = import.meta.dir;

export type Framework = "express" | "fastify" | "hono";

/** Starts it on a free port; doesn't wait for it. Installs the packages if they aren't there. */
export async function startFramework(name: Framework, alone: boolean): Promise<BenchServer> {
  await install();
  const port = freePort();
  const app = join(folder, `${name}.js`);
  const command = alone ? [process.execPath, app] : gunicornTs({ port, workers: 1, app });
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

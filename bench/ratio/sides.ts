/** The two sides of a comparison: gunicorn-ts with one worker, and a bare Bun.serve, with the same app. */
import { join } from "node:path";
import { benchApp, gunicornTs } from "../servers/gunicorn-ts.ts";
import { freePort } from "../free-port.ts";
import { BenchServer } from "../servers/server.ts";

/** `plain`: gunicorn-ts without the load's feature, for what a feature costs by itself. */
export type Side = "gunicorn-ts" | "bare" | "plain";

const bare = join(import.meta.dir, "../apps/bare.ts");

/** Starts a server on a free port; doesn't wait for it. `words` are for gunicorn-ts. */
export function startSide(side: Side, app: string, words: readonly string[] = []): BenchServer {
  const port = freePort();
  const module = join(import.meta.dir, "../apps", `${app}.ts`);
  const command =
    side === "bare"
      ? [process.execPath, bare, module, String(port)]
      : gunicornTs({ port, workers: 1, app: benchApp(app), words });
  return new BenchServer({ command, port });
}

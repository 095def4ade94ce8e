/** The two sides of a comparison: gunicorn-ts with one worker, and a bare Bun.serve, with the same app. */
import { join } from "node:path";
import { cleanUp } from "./clean-up.ts";
import { BenchError } from "./errors.ts";
import { treeOf } from "./process-tree.ts";

export type Side = "gunicorn-ts" | "bare";

const program = join(import.meta.dir, "../bin/gunicorn-ts.ts");
const bare = join(import.meta.dir, "apps/bare.ts");

const patienceMs = 10_000;
const pollMs = 1;

/** Every limit that there is, but none that a run reaches. The keep-alive is Bun.serve's own longest. */
const limits = [
  ["--timeout", "30"],
  ["--max-requests", "1000000000"],
  ["--worker-connections", "100000"],
  ["--limit-request-body", "100000000"],
  ["--keep-alive", "255"],
].flat();

function commandOf(side: Side, app: string, port: number): string[] {
  const module = join(import.meta.dir, "apps", `${app}.ts`);
  if (side === "bare") return [bare, module, String(port)];
  const bind = `127.0.0.1:${port}`;
  return [program, "-w", "1", "-b", bind, ...limits, "--log-level", "warning", `${module}:fetch`];
}

export class BenchServer implements AsyncDisposable {
  readonly url: string;
  readonly #process: Bun.Subprocess<"ignore", "inherit", "inherit">;
  readonly #kill: () => void;

  constructor(side: Side, app: string, port: number) {
    this.url = `http://127.0.0.1:${port}/`;
    this.#process = Bun.spawn([process.execPath, ...commandOf(side, app, port)], {
      // Nothing of the caller's settings: no GUNICORN_CMD_ARGS, no PORT, no gunicorn.conf.ts.
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], NODE_ENV: "production" },
      cwd: import.meta.dir,
      stdio: ["ignore", "inherit", "inherit"],
    });
    // The tree, and at once: a worker whose master dies would first finish its connections.
    this.#kill = cleanUp(() => killTree(this.#process.pid));
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** The process that serves: the last born. */
  get servingPid(): number {
    return treeOf(this.pid).at(-1) as number;
  }

  /** Waits for the first answer. */
  async answered(): Promise<string> {
    const end = performance.now() + patienceMs;
    for (;;) {
      const answer = await get(this.url);
      if (answer !== null) return answer;
      if (this.#process.exitCode !== null) throw new BenchError("a server ended at its start");
      if (performance.now() > end) throw new BenchError(`no answer from ${this.url}`);
      await Bun.sleep(pollMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.#process.exited;
  }
}

/** Starts a server on a free port; doesn't wait for it. */
export function startServer(side: Side, app: string): BenchServer {
  return new BenchServer(side, app, freePort());
}

/** The body of a good answer; null when nobody listens yet. */
async function get(url: string): Promise<string | null> {
  let response: Response;
  try {
    response = await fetch(url, { keepalive: false, headers: { "accept-language": "en" } });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ConnectionRefused" || code === "ECONNREFUSED") return null;
    throw error;
  }
  if (!response.ok) throw new BenchError(`${url} answers ${response.status}`);
  return response.text();
}

/** A port that was free a moment ago. */
function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

function killTree(root: number): void {
  for (const pid of treeOf(root)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

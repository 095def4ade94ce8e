/** A server under test: a process with descendants, on a port of its own; gone with the bench. */
import { cleanUp } from "../clean-up.ts";
import { BenchError } from "../errors.ts";
import { killAll } from "../kill.ts";
import { treeOf } from "../process-tree.ts";

const patienceMs = 60_000;
const pollMs = 1;

export interface ServerCommand {
  readonly command: readonly string[];
  readonly port: number;
  readonly scheme?: "http" | "https";
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Its words go to the person who waits; otherwise nobody reads them. */
  readonly audible?: boolean;
}

export class BenchServer implements AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly #process: Bun.Subprocess<"ignore", "inherit" | "ignore", "inherit" | "ignore">;
  readonly #kill: () => void;

  constructor(server: ServerCommand) {
    const { command, port, scheme = "http", cwd = import.meta.dir, audible = true } = server;
    this.port = port;
    this.url = `${scheme}://127.0.0.1:${port}/`;
    const words = audible ? "inherit" : "ignore";
    this.#process = Bun.spawn([...command], {
      // By default nothing of the caller's settings: no GUNICORN_CMD_ARGS, no PORT, no gunicorn.conf.ts.
      env: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        NODE_ENV: "production",
        ...server.env,
      },
      cwd,
      stdio: ["ignore", words, words],
    });
    // The tree, and at once: a worker whose master dies would first finish its connections.
    this.#kill = cleanUp(() => killAll(treeOf(this.#process.pid)));
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** The process that serves: the last born. */
  get servingPid(): number {
    return treeOf(this.pid).at(-1) as number;
  }

  get ended(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** Waits for the first answer; throws BenchError when the server ends, or stays silent, or answers an error. */
  async answered(path = "/", limitMs = patienceMs): Promise<string> {
    const end = performance.now() + limitMs;
    for (;;) {
      const answer = await get(
        new URL(path, this.url).href,
        Math.max(pollMs, end - performance.now()),
      );
      if (answer !== null) return answer;
      if (this.ended) throw new BenchError("a server ended at its start");
      if (performance.now() > end) throw new BenchError(`no answer from ${this.url}`);
      await Bun.sleep(pollMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.#process.exited;
  }
}

const unconnected = new Set([
  "ConnectionRefused",
  "ECONNREFUSED",
  "ConnectionClosed",
  "ECONNRESET",
]);

/** The body of a good answer; null when nobody listens yet. Throws BenchError behind `limitMs`. */
async function get(url: string, limitMs: number): Promise<string | null> {
  try {
    const response = await fetch(url, {
      keepalive: false,
      signal: AbortSignal.timeout(limitMs),
      headers: { "accept-language": "en" },
      tls: { rejectUnauthorized: false },
    });
    if (!response.ok) throw new BenchError(`${url} answers ${response.status}`);
    return await response.text();
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    if (typeof code === "string" && unconnected.has(code)) return null;
    if (name !== "TimeoutError") throw error;
    throw new BenchError(`no answer from ${url}, which accepts connections`, { cause: error });
  }
}

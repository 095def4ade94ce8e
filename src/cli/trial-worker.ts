/** One worker without a server: it serves on a name that only this process knows, for requests of the command line. */
import { randomUUID } from "node:crypto";
import { inTime, late } from "../app/in-time.ts";
import { type Environment, withRawEnv } from "../arbiter/act/master/environment.ts";
import type { AppConfig } from "../arbiter/act/configuration/generation.ts";
import { Apps } from "../arbiter/act/apps/apps.ts";
import { openScoreboard } from "../arbiter/act/open-scoreboard.ts";
import { signalWorker, spawnWorker } from "../arbiter/act/birth/spawn.ts";
import { workerClassOf } from "../config/worker-classes.ts";
import { exitCodes } from "../ipc/exit-codes.ts";
import { closeFd } from "../os/sockets/socket-options.ts";
import { createAbstractSocket } from "../os/sockets/listening/unix-socket.ts";
import { writeFully } from "../os/write-fully.ts";

/** One connection at a time comes. */
const backlog = 16;

/** Behind the time that a worker takes for itself, it has to be gone. */
const endMs = 2000;

export class TrialWorker {
  /** The abstract name of the unix socket that it serves on. */
  readonly path: string;
  readonly #process: Bun.Subprocess;
  readonly #gracefulMs: number;
  readonly #bootMs: number;
  readonly #ready = Promise.withResolvers<void>();

  /** @param env the environment, without raw_env */
  constructor(resolved: AppConfig, env: Environment) {
    const { config } = resolved;
    this.#gracefulMs = config.gracefulTimeout * 1000;
    this.#bootMs = config.timeout * 1000;
    this.path = `\0gunicorn-ts-request-${randomUUID()}`;
    const isOwn = workerClassOf(config.workerClass).sockets === "own";
    // A class that opens its own needs the name for itself.
    const fd = createAbstractSocket(isOwn ? `${this.path}-master` : this.path, backlog);
    const scoreboard = openScoreboard(config.workerTmpDir);
    const bound = { type: "unix", path: this.path } as const;
    const apps = new Apps({
      log: () => {},
      process: () => this.#process,
      setAudience: () => {},
    });
    this.#process = spawnWorker(
      {
        age: 1,
        slot: 0,
        row: 0,
        generation: 1,
        numWorkers: config.workers,
        masterName: "Master",
        resolved,
        scoreboardFd: scoreboard.fd,
        stdout: 2,
        listeners: [{ fd, url: "--request", bound, shared: false, secure: false }],
        // Only this process connects to it.
        credentials: null,
        env: withRawEnv(env, config.rawEnv),
      },
      {
        message: ({ type }) => void (type === "ready" && this.#ready.resolve()),
        app: (message) => apps.receive(1, message),
        exited: () => {},
      },
    );
    closeFd(fd);
    scoreboard.close();
  }

  /**
   * Resolves with null when it serves, or when it doesn't with the exit code that a server would have. Why not is on
   * standard error then.
   */
  async boot(): Promise<number | null> {
    const { exited } = this.#process;
    const served = this.#ready.promise.then(() => null);
    const booted = Promise.race([served, exited]);
    // timeout 0: however long it takes.
    const first = await (this.#bootMs === 0 ? booted : inTime(this.#bootMs, booted));
    if (first === null) return null;
    // The worker has logged why.
    if (first === exitCodes.appLoad || first === exitCodes.workerBoot) return first;
    if (first === late) await this.kill();
    const end = this.#process.signalCode ?? `exit code ${this.#process.exitCode}`;
    const why =
      first === late
        ? `isn't loaded within ${this.#bootMs / 1000} s (timeout)`
        : `has ended its process with ${end} before it was loaded`;
    writeFully(2, `Error: the app ${why}\n`);
    return exitCodes.workerBoot;
  }

  /** As a server stops its workers. */
  async stop(): Promise<void> {
    signalWorker(this.#process.pid, "SIGTERM");
    const ended = await inTime(this.#gracefulMs + endMs, this.#process.exited);
    if (ended === late) await this.kill();
  }

  /** It may hang: whatever it does, it ends. */
  async quit(): Promise<void> {
    signalWorker(this.#process.pid, "SIGQUIT");
    if ((await inTime(endMs, this.#process.exited)) === late) await this.kill();
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}

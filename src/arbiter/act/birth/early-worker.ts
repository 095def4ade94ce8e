/**
 * The first worker's process, started as the master's first act, so that its runtime and its imports are there when the
 * master knows what it is to serve (bench: start). It is taken if it is what the master would start by then, and ended
 * otherwise, as if it had never been. A help: refused at any point, the worker is started when its turn comes.
 */
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { isRunning } from "../../../os/processes.ts";
import { inheritedState } from "../../../os/processes/inherited-state.ts";
import {
  createSocketPair,
  mostPassed,
  passDescriptors,
} from "../../../os/sockets/pass-descriptors.ts";
import { closeFd } from "../../../os/sockets/socket-options.ts";
import { version } from "../../../version.ts";
import type { Environment } from "../master/environment.ts";
import { isSameLaunch, likelyEnvironment, mayStartEarly } from "./early-launch.ts";
import {
  startWorkerProcess,
  type WorkerLaunch,
  type WorkerListener,
  workerWords,
} from "./worker-process.ts";

/** What the early process is to be. */
export interface Wanted {
  readonly launch: WorkerLaunch;
  /** What it would inherit from 3 on. */
  readonly descriptors: readonly number[];
  /** Its boot message, for a process that gets its descriptors by way of another one. */
  readonly boot: (channel: number) => unknown;
}

/** The descriptor of the child's end of the pair. */
const channel = 3;

export class EarlyWorker {
  readonly #launch: WorkerLaunch;
  readonly #state: string;
  /** This process's end of the pair. */
  readonly #end: number;
  readonly #process: Bun.Subprocess;
  readonly #said: unknown[] = [];
  #listener: WorkerListener | null = null;
  #isOver = false;
  #isUsed = false;

  /**
   * @param words behind the program's name
   * @returns null if it isn't worth a try, or refused
   */
  static start(words: readonly string[], env: Environment): EarlyWorker | null {
    if (process.platform !== "linux") return null;
    try {
      const cwd = process.cwd();
      const { execArgv } = process;
      if (!mayStartEarly({ words, env, execArgv, bunfig: readBunfig(cwd, env) })) return null;
      const state = inheritedState();
      if (state === null) return null;
      const launch: WorkerLaunch = {
        words: workerWords("worker/classes/async"),
        cwd,
        env: likelyEnvironment(env, `gunicorn-ts/${version}`),
        stdout: "inherit",
      };
      return new EarlyWorker(launch, state);
    } catch {
      // No directory, descriptor or process to be had, or no right: whoever needs one will say so.
      return null;
    }
  }

  private constructor(launch: WorkerLaunch, state: string) {
    this.#launch = launch;
    this.#state = state;
    const [end, childs] = createSocketPair();
    this.#end = end;
    try {
      this.#process = startWorkerProcess(launch, [childs], {
        message: (message) => this.#hear(message),
        exited: (code, signal) => {
          this.#isOver = true;
          this.#listener?.exited(code, signal);
        },
      });
    } catch (error) {
      closeFd(end);
      throw error;
    } finally {
      closeFd(childs);
    }
  }

  /**
   * The process, with its descriptors and its boot message, if it is what is wanted; the listener hears what it has said
   * afterwards, never within this call. Null: it is ended, or was taken before.
   */
  take(wanted: Wanted, listener: WorkerListener): Bun.Subprocess | null {
    if (this.#isUsed) return null;
    if (!this.#boot(wanted)) {
      void this.discard();
      return null;
    }
    this.#isUsed = true;
    closeFd(this.#end);
    queueMicrotask(() => {
      this.#listener = listener;
      for (const message of this.#said.splice(0)) listener.message(message);
    });
    return this.#process;
  }

  /** Ends the process, unless it is taken; resolves when it has gone. */
  async discard(): Promise<void> {
    if (this.#isUsed) return;
    this.#isUsed = true;
    closeFd(this.#end);
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // The configuration has given up the right to: it ends by itself when its channel closes.
      return this.#process.disconnect();
    }
    await this.#process.exited;
  }

  /** Whether it has been told to be the worker that is wanted. */
  #boot({ launch, descriptors, boot }: Wanted): boolean {
    try {
      const wanted = { ...launch, cwd: realpathSync(launch.cwd) };
      if (!isSameLaunch(this.#launch, wanted) || inheritedState() !== this.#state) return false;
      if (descriptors.length > mostPassed || !this.#isUntouched()) return false;
      passDescriptors(this.#end, descriptors);
      this.#process.send(boot(channel));
      return true;
    } catch {
      // It has gone, or the system refuses: the ordinary way is tried, and says what is wrong.
      return false;
    }
  }

  /** Nobody has told it to leave: signals may go to all processes of a group. */
  #isUntouched(): boolean {
    const isAwake = (message: unknown) => (message as { type?: unknown } | null)?.type === "awake";
    return !this.#isOver && this.#said.every(isAwake) && isRunning(this.#process.pid);
  }

  #hear(message: unknown): void {
    if (this.#listener === null) this.#said.push(message);
    else this.#listener.message(message);
  }
}

/** What the files say by which Bun is told to preload something. */
function readBunfig(cwd: string, env: Environment): string {
  const folders = [cwd, env["XDG_CONFIG_HOME"] ?? env["HOME"] ?? cwd];
  const names = ["bunfig.toml", ".bunfig.toml"];
  return folders.map((folder, index) => readIfAny(join(folder, names[index] as string))).join("\n");
}

function readIfAny(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Mostly there is none; one that can't be read, Bun can't read either.
    return "";
  }
}

/** A worker's process: what it is started with, and who hears of it. */
import { ownFile, ownRuntime } from "../../../own-files.ts";
import type { Environment } from "../master/environment.ts";

/** The worker is another program: the arbiter knows the place of its file, and imports nothing of it. */
const workerProgram = ownFile("worker/main");

export interface WorkerLaunch {
  readonly words: readonly string[];
  readonly cwd: string;
  /** All of it. */
  readonly env: Environment;
  /** Where what the app prints goes, if not where the master's goes. */
  readonly stdout: number | "inherit";
}

/** Hears what a worker's process sends, and of its end. */
export interface WorkerListener {
  message(message: unknown): void;
  exited(code: number | null, signal: string | null): void;
}

/** @param source of the worker class, which the process reads while it starts; null: it has no file of ours */
export function workerWords(source: string | null): string[] {
  return [...ownRuntime, workerProgram, ...(source === null ? [] : [ownFile(source)])];
}

/**
 * Starts it; it waits for its boot message. Throws when the system can't start a process.
 * @param inherited the descriptors that it has from 3 on
 */
export function startWorkerProcess(
  { words, cwd, env, stdout }: WorkerLaunch,
  inherited: readonly number[],
  listener: WorkerListener,
): Bun.Subprocess {
  return Bun.spawn([...words], {
    cwd,
    env,
    stdio: ["ignore", stdout, "inherit", ...inherited],
    serialization: "advanced",
    ipc: (message) => listener.message(message),
    onExit({ signalCode }, code) {
      // bun-types allows a number; Bun gives the name.
      listener.exited(signalCode === null ? code : null, signalCode as string | null);
    },
  });
}

/**
 * A daemon, seen from its launcher and from itself. Until the daemon says that it is up, what its
 * processes write goes to a file without a name, which the launcher shows if the start fails. Each
 * process turns to /dev/null when it is ready itself.
 */
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { leaveLauncherOutput } from "./output.ts";

/** Tells the program that it is the daemon. It is gone from process.env before anything else reads that. */
const mark = "GUNICORN_TS_DAEMON";

const up = "up";

export interface Launch {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard streams that the daemon keeps. */
  readonly keeps: { readonly stdout: boolean; readonly stderr: boolean };
  /** Called once with the daemon, before it is waited for. */
  readonly onStart: (daemon: Pick<Bun.Subprocess, "kill">) => void;
}

export interface Launched {
  /** 0: the daemon is up. */
  readonly exitCode: number;
  /** What the daemon's processes had to say, if it isn't up. */
  readonly output: string;
}

/** Whether this process was started by launch(); true only once. */
export function takeDaemonMark(): boolean {
  const marked = process.env[mark] !== undefined;
  delete process.env[mark];
  return marked;
}

/** Starts the daemon in a session of its own, and waits until it is up or has failed. */
export async function launch({ command, cwd, env, keeps, onStart }: Launch): Promise<Launched> {
  const fd = openUnnamed();
  const settled = Promise.withResolvers<number>();
  const daemon = Bun.spawn([...command], {
    cwd,
    env: { ...env, [mark]: "1" },
    detached: true,
    stdio: ["ignore", keeps.stdout ? "inherit" : fd, keeps.stderr ? "inherit" : fd],
    ipc(message) {
      if (message === up) settled.resolve(0);
    },
    onExit({ signalCode }, code) {
      const number = signalCode === null ? 0 : constants.signals[signalCode as never as "SIGTERM"];
      // Gone without a word, it isn't up, whatever its code says.
      settled.resolve(code === null ? 128 + number : code || 1);
    },
  });
  onStart(daemon);
  const exitCode = await settled.promise;
  const output = exitCode === 0 ? "" : readAll(fd);
  closeSync(fd);
  return { exitCode, output };
}

/** Tells the launcher that the daemon's master serves. */
export function reportUp(): void {
  leaveLauncherOutput();
  if (!process.connected) return;
  process.send?.(up);
  process.disconnect?.();
}

/** Where no folder can be written, what a start that fails has to say is lost. */
function openUnnamed(): number {
  for (const parent of [tmpdir(), "/dev/shm"]) {
    try {
      return openUnnamedIn(parent);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    }
  }
  return openSync("/dev/null", "r+");
}

function openUnnamedIn(parent: string): number {
  const folder = mkdtempSync(join(parent, "gunicorn-ts-"));
  try {
    return openSync(join(folder, "output"), "a+", 0o600);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readAll(fd: number): string {
  const bytes = Buffer.alloc(fstatSync(fd).size);
  // From a place of its own: the daemon's processes share the descriptor's.
  const length = readSync(fd, bytes, 0, bytes.length, 0);
  return bytes.toString("utf8", 0, length);
}

/** Tests of daemons: they leave their launcher, so that they have to be found again. */
import { readdirSync, readFileSync } from "node:fs";
import { killAll } from "../../bench/kill.ts";
import { type RunningServer, type ServerOptions, start, until } from "./server.ts";

/** The server's launcher, and whatever it has left running. */
export interface Daemon extends AsyncDisposable {
  readonly launcher: RunningServer;
  /** Waits for the launcher's exit code. */
  launched(): Promise<number>;
  /** The master, by the pid file `pid` in the server's folder. */
  pid(): number;
  /** Waits until no process of the server is left. */
  gone(): Promise<void>;
}

export function daemon(options: ServerOptions): Daemon {
  const launcher = start({ ...options, args: ["-D", "-p", "pid", ...(options.args ?? [])] });
  const { folder } = launcher;
  return {
    launcher,
    launched: () => launcher.process.exited,
    pid: () => Number(readFileSync(`${folder}/pid`, "utf8")),
    async gone() {
      await until("the daemon's end", () => processesOf(folder).length === 0);
    },
    async [Symbol.asyncDispose]() {
      for (let left = processesOf(folder); left.length > 0; left = processesOf(folder)) {
        killAll(left);
        await Bun.sleep(5);
      }
      await launcher[Symbol.asyncDispose]();
    },
  };
}

/** Processes that were started with the test's folder as HOME, zombies left out. */
function processesOf(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => readProc(`${pid}/environ`).split("\0").includes(`HOME=${folder}`))
    .map(Number);
}

/** Empty for a process that has gone meanwhile, or that belongs to somebody else. */
export function readProc(name: string): string {
  try {
    return readFileSync(`/proc/${name}`, "latin1");
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(code)) return "";
    throw error;
  }
}

/** A line of /proc/PID/status by its name: `Uid`. A thread is PID/task/ID. */
export function statusOf(pid: string, name: string): string {
  const found = new RegExp(`^${name}:\\s*(.*)$`, "m").exec(readProc(`${pid}/status`));
  return found?.[1] ?? "";
}

/** Runs the real program for a test: its own folder, port 0, output collected, and an end that leaves no process. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { killAll } from "../../bench/kill.ts";
import { namesIn, readIfThere } from "../../bench/process-tree.ts";
import { Certificates } from "./certificates.ts";

export const program = join(import.meta.dir, "../../bin/gunicorn-ts.ts");

/** What tests run instead, where they name no program: an executable of `gunicorn-ts build`. */
const executable = process.env["GUNICORN_TS_PROGRAM"];

/** The program's words, and what they need of the environment. */
export interface Command {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * How the program is run: by this Bun, or as the executable that it is.
 * @param runtimeArgs Bun's own flags
 */
export function commandOf(runtimeArgs: readonly string[] = [], own = executable): Command {
  if (own === undefined) return { words: [process.execPath, ...runtimeArgs, program], env: {} };
  const flags = runtimeArgs.join(" ");
  return { words: [own], env: flags === "" ? {} : { BUN_OPTIONS: flags } };
}

/** Long enough for a machine that others load: whoever waits for a condition waits no longer than for that. */
export const patienceMs = 60_000;

/** A process that outlives the server may hold its log open: what was written before the exit is read in one turn of the loop. */
const logTurnMs = 50;

export interface ServerOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Files of the server's folder, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** MODULE:EXPORT; null for none. */
  readonly app?: string | null;
  readonly bind?: readonly string[];
  /** A file for Bun. */
  readonly program?: string;
  /** An executable to run in place of Bun and a program. */
  readonly executable?: string;
  /** Words between bun and the program: `x`, `--smol`. */
  readonly runtimeArgs?: readonly string[];
  /** An existing folder to run in; it is removed in the end. */
  readonly folder?: string;
  /** Where it runs, if not in its folder. */
  readonly cwd?: string;
  /** A command that runs the server, `setpriv ...`. */
  readonly through?: readonly string[];
  /** TLS, with a certificate for localhost. */
  readonly secure?: boolean;
}

/** A condition that a test waits for, never a time: tries until the answer isn't null, false or undefined. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  limitMs = patienceMs,
): Promise<NonNullable<T>> {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await probe();
    if (value !== null && value !== undefined && value !== false) return value as NonNullable<T>;
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms in vain for: ${what}`);
    await Bun.sleep(5);
  }
}

/** Waits until there are as many workers as before, and all are others. */
export async function allReplaced(
  workers: () => readonly number[],
  before: readonly number[],
): Promise<void> {
  await until("all workers replaced", () => {
    const now = workers();
    return now.length === before.length && now.every((pid) => !before.includes(pid));
  });
}

/** Code of an app that waits here until the test calls go(). */
export const waitsForGo = `while (!(await Bun.file("go").exists())) await Bun.sleep(5);`;

export class RunningServer implements AsyncDisposable {
  readonly folder: string;
  /** What was started; its exit is told when all is in the log that was written before. */
  readonly process: Pick<Bun.Subprocess, "pid" | "exited" | "kill">;
  #log = "";
  #open = 0;

  constructor(
    folder: string,
    {
      args = [],
      env = {},
      app = "app",
      bind = ["127.0.0.1:0"],
      program: file,
      executable: own,
      through = [],
      runtimeArgs = [],
      cwd = folder,
      secure = false,
    }: ServerOptions,
  ) {
    this.folder = folder;
    const command =
      file === undefined
        ? commandOf(runtimeArgs, own)
        : { words: [process.execPath, ...runtimeArgs, file], env: {} };
    const binds = bind.flatMap((address) => ["-b", address]);
    const child = Bun.spawn(
      [
        ...through,
        ...command.words,
        ...binds,
        ...(secure ? ["--certfile", "cert.pem", "--keyfile", "key.pem"] : []),
        ...args,
        ...(app === null ? [] : [app]),
      ],
      {
        cwd,
        env: { PATH: process.env["PATH"], HOME: folder, ...command.env, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const collected = Promise.all([this.#collect(child.stderr), this.#collect(child.stdout)]);
    const exited = child.exited.then(async (code) => {
      await Promise.race([collected, Bun.sleep(logTurnMs)]);
      return code;
    });
    this.process = { pid: child.pid, exited, kill: (signal) => child.kill(signal) };
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    this.#open += 1;
    for await (const chunk of stream) this.#log += decoder.decode(chunk, { stream: true });
    this.#open -= 1;
  }

  /** All that master and workers have written. */
  get log(): string {
    return this.#log;
  }

  /** The master's; `bunx` and `through` put another process in between. */
  get pid(): number {
    const found = /\[(\d+)\] \[INFO\] Starting gunicorn-ts/.exec(this.#log);
    return found === null ? this.process.pid : Number(found[1]);
  }

  /** The first address of the line `Listening at`. */
  get url(): string {
    const found = /Listening at: (https?:\/\/[^\s,]+)/.exec(this.#log);
    if (found === null) throw new Error(`no address in:\n${this.#log}`);
    return found[1] as string;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Whether that address is served over TLS. */
  get secure(): boolean {
    return this.url.startsWith("https:");
  }

  /** Asks on a connection of its own, whoever has signed the certificate. */
  fetch(path = "/", init: RequestInit = {}): Promise<Response> {
    const tls = { rejectUnauthorized: false };
    return fetch(new URL(path, this.url), { keepalive: false, tls, ...init });
  }

  /** Waits for a text or pattern in the log, from `after` on, and answers with where it ends. */
  async logged(pattern: string | RegExp, after = 0): Promise<number> {
    return until(`log to match ${pattern}`, () => {
      const rest = this.#log.slice(after);
      if (typeof pattern === "string") {
        const at = rest.indexOf(pattern);
        return at === -1 ? null : after + at + pattern.length;
      }
      const found = pattern.exec(rest);
      return found === null ? null : after + found.index + found[0].length;
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n--- log:\n${this.#log}`);
    });
  }

  /** The pids of the workers alive. */
  workers(): number[] {
    return childrenOf(this.pid);
  }

  /** Waits until as many workers are alive as named, and none else, and have logged their boot, if that is shown. */
  async settled(count: number): Promise<number[]> {
    const boots = "Booting worker with pid: ";
    return until(`${count} workers`, () => {
      const pids = this.workers();
      const booted = (pid: number) => new RegExp(`${boots}${pid}\\b`).test(this.#log);
      const told = !this.#log.includes(boots) || pids.every(booted);
      return pids.length === count && told ? pids : null;
    });
  }

  /** What a file of the folder says; empty for none. */
  read(name: string): string {
    return readIfThere(join(this.folder, name)) ?? "";
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Lets go what waits by `waitsForGo`. */
  go(): void {
    writeFileSync(join(this.folder, "go"), "");
  }

  /** Whether all processes that write to the log have ended. */
  ended(): boolean {
    return this.#open === 0;
  }

  /** Sends a signal and waits for the exit code. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number> {
    this.kill(signal);
    return this.process.exited;
  }

  /** The masters that live, of upgrades too, each before its workers. */
  #family(): number[] {
    const started = [...this.#log.matchAll(/\[(\d+)\] \[INFO\] Starting gunicorn-ts/g)];
    const masters = started.map(([, pid]) => Number(pid)).filter(runsProgram);
    return masters.flatMap((pid) => [pid, ...childrenOf(pid)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const left = new Set([...this.#family(), ...childrenOf(this.process.pid)]);
    this.process.kill("SIGKILL");
    await this.process.exited;
    killAll(left);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Those that a process has started, living and dead, in the order of their start; none of a process that is gone. */
export function childrenOf(pid: number): number[] {
  // proc(5): while a child ends, another one may be left out.
  for (let last = readChildren(pid); ;) {
    const now = readChildren(pid);
    if (now === last) return now.split(" ").filter(Boolean).map(Number);
    last = now;
  }
}

/** Of all its threads: each may start some. */
function readChildren(pid: number): string {
  const threads = namesIn(`/proc/${pid}/task`);
  return threads.map((id) => readIfThere(`/proc/${pid}/task/${id}/children`) ?? "").join("");
}

/** Whether the pid is still the process that the log speaks of. */
function runsProgram(pid: number): boolean {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) && /gunicorn(-ts|: )/.test(readFileSync(file, "utf8"));
}

let pair: { readonly "cert.pem": string; readonly "key.pem": string } | null = null;

/** One certificate for all servers of a test file. */
function localhost(): NonNullable<typeof pair> {
  if (pair !== null) return pair;
  using certificates = new Certificates();
  const { cert, key } = certificates.make({ names: ["IP:127.0.0.1"] });
  pair = { "cert.pem": cert, "key.pem": key };
  return pair;
}

/** Writes the files into a new folder and starts the server there; doesn't wait for it. */
export function start(options: ServerOptions = {}): RunningServer {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  // A server that runs as somebody else reads it too.
  chmodSync(folder, statSync(folder).mode | 0o755);
  const files = { ...options.files, ...(options.secure === true ? localhost() : {}) };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return new RunningServer(folder, options);
}

/** Starts a server and waits until its first worker serves. */
export async function gunicorn(options: ServerOptions = {}): Promise<RunningServer> {
  const server = start(options);
  await server.logged("Using worker:");
  let ended = false;
  void server.process.exited.then(() => (ended = true));
  // Workers of -k serve open their sockets themselves, some time after that line.
  await until("an answer", async () => {
    const response = await server.fetch().catch(() => null);
    await response?.arrayBuffer();
    if (ended) throw new Error("the server has ended");
    return response !== null;
  }).catch((error: Error) => {
    throw new Error(`${error.message}; log:\n${server.log}`, { cause: error });
  });
  return server;
}

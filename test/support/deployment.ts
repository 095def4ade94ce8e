/** Configurations of examples/deploy, run as they are but for the addresses, paths and accounts that a test can't take. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { killAll } from "../../bench/kill.ts";
import { childrenOf, until } from "./server.ts";

const root = join(import.meta.dir, "../..");

/**
 * The text of an example with each of the given texts replaced; one that isn't in it is an error. All at once: what takes
 * the place of one, the path of a checkout, may hold another.
 */
export function example(name: string, replacements: Readonly<Record<string, string>>): string {
  const text = readFileSync(join(root, "examples/deploy", name), "utf8");
  const missing = Object.keys(replacements).find((from) => !text.includes(from));
  if (missing !== undefined) throw new Error(`examples/deploy/${name} doesn't say: ${missing}`);
  const any = Object.keys(replacements).map(RegExp.escape);
  if (any.length === 0) return text;
  return text.replace(new RegExp(any.join("|"), "g"), (from) => replacements[from] ?? from);
}

/** A folder with files, and one program that runs in it; the end takes all that it has started with it. */
export class Deployment implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-deployment-"));
  #process: Bun.Subprocess<"ignore", "pipe", "pipe"> | null = null;
  #log = "";

  get log(): string {
    return this.#log;
  }

  write(name: string, text: string, mode = 0o644): string {
    const file = join(this.folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { mode });
    return file;
  }

  /** The package as an installation in the folder would have it. */
  install(): void {
    mkdirSync(join(this.folder, "node_modules/.bin"), { recursive: true });
    symlinkSync(root, join(this.folder, "node_modules/gunicorn-ts"));
    const program = join(this.folder, "node_modules/gunicorn-ts/bin/gunicorn-ts.ts");
    this.write(
      "node_modules/.bin/gunicorn-ts",
      `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`,
      0o755,
    );
  }

  run(command: readonly string[], env: Readonly<Record<string, string>> = {}): void {
    const running = Bun.spawn([...command], {
      cwd: this.folder,
      env: { PATH: `${process.env["PATH"]}:/usr/sbin`, HOME: this.folder, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = running;
    void this.#collect(running.stdout);
    void this.#collect(running.stderr);
  }

  /** Waits until the log or, if named, a file of the folder holds a text. */
  async says(text: string, file?: string): Promise<void> {
    await until(text, () => this.#text(file).includes(text)).catch((error: Error) => {
      throw new Error(`${error.message}\n--- log:\n${this.#text(file)}\n${this.#log}`);
    });
  }

  #text(file?: string): string {
    if (file === undefined) return this.#log;
    try {
      return readFileSync(join(this.folder, file), "utf8");
    } catch {
      return "";
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  get exited(): Promise<number> {
    if (this.#process === null) throw new Error("nothing runs");
    return this.#process.exited;
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.#log += decoder.decode(chunk, { stream: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const left = this.#process === null ? [] : descendants(this.#process.pid);
    this.#process?.kill("SIGKILL");
    await this.#process?.exited;
    killAll(left);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);
}

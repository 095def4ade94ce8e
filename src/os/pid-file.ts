/** The file that holds the master's process id: written whole or not at all, removed only by the process that it names. */
import {
  closeSync,
  fchmodSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { isRunning } from "./processes.ts";

/** Why there can't be a pid file: one sentence for the operator, exit code 1. */
export class PidFileError extends Error {
  override readonly name = "PidFileError";
}

export class PidFile {
  #path: string | null;
  readonly #pid: number;

  /**
   * @param path null for no file: then nothing happens. Resolved now: a later change of directory
   * doesn't move the file.
   */
  constructor(path: string | null, pid: number = process.pid) {
    this.#path = path === null ? null : resolve(path);
    this.#pid = pid;
  }

  get path(): string | null {
    return this.#path;
  }

  /** Throws PidFileError if the file names another process that runs, or can't be written. */
  create(): void {
    if (this.#path !== null) create(this.#path, this.#pid);
  }

  /**
   * Writes the file at `path`, then removes it where it was; null only removes it. Also for the same
   * path: a file that somebody has deleted is there again. When it throws, nothing has changed.
   */
  rename(path: string | null): void {
    const next = new PidFile(path, this.#pid);
    next.create();
    if (next.path !== this.#path) this.remove();
    this.#path = next.path;
  }

  /** Leaves a file alone that holds another process id: a successor has taken it over. */
  remove(): void {
    if (this.#path === null) return;
    try {
      if (readOwner(this.#path) === this.#pid) rmSync(this.#path, { force: true });
    } catch (error) {
      // The end of a server doesn't depend on it, and the next start finds the file stale.
      if (!(error instanceof PidFileError) && codeOf(error) === undefined) throw error;
    }
  }
}

function create(path: string, pid: number): void {
  const other = readOwner(path);
  if (other !== null && other !== pid && isRunning(other)) {
    throw new PidFileError(`Already running on PID ${other} (or pid file '${path}' is stale)`);
  }
  const folder = dirname(path);
  if (!(statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false)) {
    throw new PidFileError(`${folder} doesn't exist. Can't create pidfile.`);
  }
  write(path, `${pid}\n`, `${path}.${pid}.tmp`);
}

/** @param temporary in the same folder, as a rename doesn't cross file systems */
function write(path: string, text: string, temporary: string): void {
  try {
    // Left behind by a process that died of KILL in between, and had the same id.
    rmSync(temporary, { force: true });
    const fd = openSync(temporary, "wx", 0o644);
    try {
      // The umask has no say: monitors run as somebody else, and read the file.
      fchmodSync(fd, 0o644);
      writeFileSync(fd, text);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw asPidFileError(`${path} can't be written`, error);
  }
}

/** The process id in the file; null if there is no file, or something else in it. */
function readOwner(path: string): number | null {
  try {
    const text = readFileSync(path, "latin1").trim();
    return /^\d{1,10}$/.test(text) && Number(text) > 0 ? Number(text) : null;
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw asPidFileError(`${path} can't be read`, error);
  }
}

function asPidFileError(what: string, cause: unknown): unknown {
  const code = codeOf(cause);
  return code === undefined ? cause : new PidFileError(`pidfile: ${what}: ${code}`, { cause });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

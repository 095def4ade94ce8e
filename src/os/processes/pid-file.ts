/**
 * The file that holds the master's process id: written whole or not at all, removed only by the process that it names.
 * The master holds a lock on it for its life: that tells a file that was left behind from one in use, whoever has the
 * number now.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { holdFile, isHeld } from "../file-lock.ts";
import { mayBeGunicorn } from "../processes.ts";

/** More isn't a process id, but somebody's work. */
const longestBytes = 64;

/** Why there can't be a pid file: one sentence for the operator, exit code 1. */
export class PidFileError extends Error {
  override readonly name = "PidFileError";
}

export class PidFile {
  #path: string | null;
  readonly #pid: number;
  /** Holds the lock; programs that are started don't inherit it. */
  #fd: number | null = null;

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
    if (this.#path === null) return;
    const fd = create(this.#path, this.#pid, this.#fd);
    this.#release();
    this.#fd = fd;
  }

  /**
   * Writes the file at `path`, then removes it where it was; null only removes it. Also for the same
   * path: a file that somebody has deleted is there again. When it throws, nothing has changed.
   */
  rename(path: string | null): void {
    const next = path === null ? null : resolve(path);
    const fd = next === null ? null : create(next, this.#pid, this.#fd);
    if (next !== this.#path) this.remove();
    this.#release();
    this.#path = next;
    this.#fd = fd;
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
    this.#release();
  }

  #release(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}

/** Answers the descriptor that holds the new file. `own`: the one that this process holds already. */
function create(path: string, pid: number, own: number | null): number {
  const other = findHolder(path, pid, own);
  if (other !== null) {
    throw new PidFileError(`Already running on PID ${other} (or pid file '${path}' is stale)`);
  }
  const folder = dirname(path);
  if (!(statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false)) {
    throw new PidFileError(`pidfile: ${folder} doesn't exist. Can't create pidfile.`);
  }
  return write(path, `${pid}\n`, `${path}.${pid}.tmp`);
}

/** The process id in the file, if its master lives: it holds the lock, or where locks are unknown it looks like one. */
function findHolder(path: string, pid: number, own: number | null): number | string | null {
  const fd = openRegular(path);
  if (fd === null) return null;
  try {
    const found = readPid(fd, path);
    const [file, mine] = [fstatSync(fd), own === null ? null : fstatSync(own)];
    if (file.ino === mine?.ino && file.dev === mine.dev) return null;
    const held = isHeld(fd);
    // In another container it may have this one's number.
    if (held === true) return found ?? "unknown";
    return found !== null && found !== pid && held === null && mayBeGunicorn(found) ? found : null;
  } finally {
    closeSync(fd);
  }
}

/** @param temporary in the same folder, as a rename doesn't cross file systems */
function write(path: string, text: string, temporary: string): number {
  try {
    // Left behind by a process that died of KILL in between, and had the same id.
    rmSync(temporary, { force: true });
    const fd = openSync(temporary, "wx", 0o644);
    try {
      // The umask has no say: monitors run as somebody else, and read the file.
      fchmodSync(fd, 0o644);
      writeFileSync(fd, text);
      holdFile(fd);
      renameSync(temporary, path);
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  } catch (error) {
    discard(temporary);
    throw asPidFileError(`${path} can't be written`, error);
  }
}

/** Where nothing can be written, nothing can be removed either: the first failure is the one to tell. */
function discard(temporary: string): void {
  try {
    rmSync(temporary, { force: true });
  } catch {
    // EROFS, EACCES, EPERM: it was never made, or the next start removes it.
  }
}

/** The process id in the file; null if there is no file, or something else in it. */
function readOwner(path: string): number | null {
  const fd = openRegular(path);
  if (fd === null) return null;
  try {
    return readPid(fd, path);
  } finally {
    closeSync(fd);
  }
}

/** Opens what is there, without waiting for the other end of a FIFO; null if nothing is. */
function openRegular(path: string): number | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw asPidFileError(`${path} can't be read`, error);
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new PidFileError(`pidfile: ${path} is not a regular file, and won't be replaced by one`);
}

function readPid(fd: number, path: string): number | null {
  if (fstatSync(fd).size > longestBytes) {
    throw new PidFileError(`pidfile: ${path} holds something else, and won't be overwritten`);
  }
  const text = readFileSync(fd, "latin1").trim();
  return /^\d{1,10}$/.test(text) && Number(text) > 0 ? Number(text) : null;
}

function asPidFileError(what: string, cause: unknown): unknown {
  const code = codeOf(cause);
  return code === undefined ? cause : new PidFileError(`pidfile: ${what}: ${code}`, { cause });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

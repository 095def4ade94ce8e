/**
 * A log that goes to a file, by one or by many processes. Invariants: the file holds whole lines, whoever writes
 * between, and what the disk has no room for is written later, in order, up to a bound. The descriptor is closed once:
 * its number is another file's then.
 */
import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  ftruncateSync,
  openSync,
  writeSync,
} from "node:fs";
import { lockFile, unlockFile, writtenUpTo } from "../../os/file-lock.ts";
import { writeInTime } from "../../os/write-in-time.ts";
import type { LineSink } from "./line-sink.ts";

/** Whom the file is to belong to. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface LogFileOptions {
  readonly owner: FileOwner | null;
  /** How much is kept while the disk is full; of more, the oldest lines are lost. */
  readonly keptBytes: number;
  /** How a loss is told: with a line for the file, or elsewhere, and then the answer is empty. */
  readonly tellLoss: (bytes: number, path: string) => string;
}

const retryMs = 1000;
/** Without O_NONBLOCK a pipe that nobody reads would hold the process here for ever; files don't know the flag. */
const openFlags =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
const lineFeed = 0x0a;

export class LogFile implements LineSink {
  readonly path: string;
  readonly #options: LogFileOptions;
  /** Otherwise a pipe or a device: nothing can be taken off it again. */
  #isRegular = true;
  #fd: number;
  /** What the disk had no room for: pieces of whole lines. */
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #lostBytes = 0;
  #retry: Timer | null = null;
  #closed = false;

  /** Throws what the system says when the file can't be opened. */
  constructor(path: string, options: LogFileOptions) {
    this.path = path;
    this.#options = options;
    this.#fd = this.#open();
    this.#isRegular = fstatSync(this.#fd).isFile();
  }

  get closed(): boolean {
    return this.#closed;
  }

  get fd(): number {
    return this.#fd;
  }

  write(text: string): void {
    // Somebody still has a log that another has taken over from.
    if (this.#closed) return void writeInTime(2, text);
    const bytes = Buffer.from(text);
    const rest = this.#kept.length === 0 ? this.#append(bytes) : bytes;
    if (rest.length > 0) this.#keep(rest);
  }

  flush(): void {
    // Another process has been busy with the file for long: the timer tries again.
    if (this.#closed || this.#kept.length === 0 || !lockFile(this.#fd)) return;
    try {
      this.#writeKept();
    } finally {
      unlockFile(this.#fd);
    }
    if (this.#kept.length === 0) this.#stopRetrying();
  }

  /** Opens the path anew: the old file has been renamed. Keeps the old one when that fails, and throws. */
  reopen(): void {
    if (this.#closed) return;
    const fd = this.#open();
    this.flush();
    const old = this.#fd;
    this.#fd = fd;
    this.#isRegular = fstatSync(fd).isFile();
    closeAnyway(old);
    this.flush();
  }

  close(): void {
    if (this.#closed) return;
    this.flush();
    this.#stopRetrying();
    this.#closed = true;
    closeAnyway(this.#fd);
    const lost = this.#keptBytes + this.#lostBytes;
    if (lost > 0)
      writeInTime(
        2,
        `${lost} bytes of ${this.path} are lost: ${this.#isRegular ? "the disk is full" : "nobody has read them"}\n`,
      );
  }

  /**
   * One write for all: O_APPEND keeps it in one piece beside other processes. Answers what the file hasn't taken, from
   * the beginning of a line on.
   */
  #append(bytes: Buffer): Buffer {
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written);
    } catch (error) {
      // A full disk (ENOSPC, EDQUOT, EFBIG), or a storage that may recover: what is left is kept.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    }
    if (written === 0 || written === bytes.length || !this.#isRegular)
      return bytes.subarray(written);
    const whole = bytes.lastIndexOf(lineFeed, written - 1) + 1;
    if (written > whole && !this.#takesBack(written - whole)) return bytes.subarray(written);
    return bytes.subarray(whole);
  }

  /**
   * Takes the beginning of a line off the file, whose rest the disk had no room for. Answers false if the system
   * refuses, as for an append-only file: the rest follows later then.
   */
  #takesBack(torn: number): boolean {
    try {
      const end = writtenUpTo(this.#fd);
      if (fstatSync(this.#fd).size === end) ftruncateSync(this.#fd, end - torn);
      else blankOut(this.#fd, end - torn, torn);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return false;
    }
  }

  #writeKept(): void {
    if (this.#lostBytes > 0) {
      const line = Buffer.from(this.#options.tellLoss(this.#lostBytes, this.path));
      if (this.#append(line).length > 0) return;
      this.#lostBytes = 0;
    }
    for (let next = this.#kept[0]; next !== undefined; next = this.#kept[0]) {
      const rest = this.#append(next);
      this.#keptBytes -= next.length - rest.length;
      if (rest.length > 0) {
        this.#kept[0] = rest;
        return;
      }
      this.#kept.shift();
    }
  }

  #keep(bytes: Buffer): void {
    // A part of a larger buffer would hold all of it.
    this.#kept.push(Buffer.from(bytes));
    this.#keptBytes += bytes.length;
    while (this.#keptBytes > this.#options.keptBytes) this.#drop();
    this.#retry ??= setInterval(() => this.flush(), retryMs).unref();
  }

  /** Gives up the oldest lines: as many as are too many, or all of the oldest piece. */
  #drop(): void {
    const [oldest] = this.#kept;
    if (oldest === undefined) return;
    const excess = this.#keptBytes - this.#options.keptBytes;
    const end = excess < oldest.length ? oldest.indexOf(lineFeed, excess - 1) + 1 : 0;
    const dropped = end > 0 && end < oldest.length ? end : oldest.length;
    if (dropped === oldest.length) this.#kept.shift();
    else this.#kept[0] = oldest.subarray(dropped);
    this.#keptBytes -= dropped;
    this.#lostBytes += dropped;
  }

  #stopRetrying(): void {
    if (this.#retry !== null) clearInterval(this.#retry);
    this.#retry = null;
  }

  #open(): number {
    const fd = openSync(this.path, openFlags, 0o666);
    const { owner } = this.#options;
    // /dev/null isn't the server's to give away.
    if (owner === null || !fstatSync(fd).isFile()) return fd;
    const { uid, gid } = owner;
    try {
      fchownSync(fd, uid, gid);
    } catch (error) {
      // A worker that isn't root any more: the master has done it.
      if ((error as NodeJS.ErrnoException).code !== "EPERM") {
        closeSync(fd);
        throw error;
      }
    }
    return fd;
  }
}

/** The number is free also when close(2) fails, as for a disk that tells only then that it is full. */
function closeAnyway(fd: number): void {
  try {
    closeSync(fd);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

/** Somebody has appended behind: an empty line is left, so that theirs stays whole. */
function blankOut(fd: number, position: number, length: number): void {
  // A descriptor with O_APPEND writes at the end, whatever position it is given.
  const writer = openSync(`/dev/fd/${fd}`, "r+");
  try {
    writeSync(writer, Buffer.from(`${" ".repeat(length - 1)}\n`), 0, length, position);
  } finally {
    closeSync(writer);
  }
}

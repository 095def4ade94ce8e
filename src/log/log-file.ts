/** A log that goes to a file, by one or by many processes: lines are appended whole, whoever writes between. */
import { closeSync, fchownSync, openSync, writeSync } from "node:fs";

/** Whom the file is to belong to. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** What is kept while the disk is full; of more, the oldest is lost, and a line says so. */
const keptBytes = 1024 * 1024;

export class LogFile {
  readonly path: string;
  readonly #owner: FileOwner | null;
  #fd: number;
  /** What the disk had no room for. */
  #kept: Buffer = Buffer.alloc(0);

  /** Throws what the system says when the file can't be written. */
  constructor(path: string, owner: FileOwner | null) {
    this.path = path;
    this.#owner = owner;
    this.#fd = this.#open();
  }

  get fd(): number {
    return this.#fd;
  }

  write(text: string): void {
    const bytes = Buffer.concat([this.#kept, Buffer.from(text)]);
    this.#kept = Buffer.alloc(0);
    let written = 0;
    try {
      // One write for a line: O_APPEND keeps it in one piece beside other processes.
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOSPC" && code !== "EDQUOT" && code !== "EIO" && code !== "EAGAIN")
        throw error;
      this.#keep(bytes.subarray(written));
    }
  }

  /** Opens the path anew: the old file has been renamed. Keeps the old one when that fails, and throws. */
  reopen(): void {
    const fd = this.#open();
    closeSync(this.#fd);
    this.#fd = fd;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #open(): number {
    const fd = openSync(this.path, "a", 0o666);
    if (this.#owner === null) return fd;
    try {
      fchownSync(fd, this.#owner.uid, this.#owner.gid);
    } catch (error) {
      // A worker that isn't root any more: the master has done it.
      if ((error as NodeJS.ErrnoException).code !== "EPERM") {
        closeSync(fd);
        throw error;
      }
    }
    return fd;
  }

  #keep(bytes: Buffer): void {
    if (bytes.length <= keptBytes) {
      this.#kept = Buffer.from(bytes);
      return;
    }
    const lineEnd = bytes.indexOf(0x0a, bytes.length - keptBytes);
    const rest = bytes.subarray(lineEnd + 1);
    const lost = `... ${bytes.length - rest.length} bytes of this log are lost: the disk was full\n`;
    this.#kept = Buffer.concat([Buffer.from(lost), rest]);
  }
}

/**
 * A log file that is renamed to `.1`, `.2` and so on when it is full, by one of many processes. Invariant: who renames
 * holds the lock of the very file that has the name, so that two never rename for the same reason; the others notice by
 * its inode.
 */
import { fstatSync, renameSync, type Stats, statSync } from "node:fs";
import { lockFile, unlockFile } from "../../os/file-lock.ts";
import type { LineSink } from "./line-sink.ts";
import { LogFile, type LogFileOptions } from "./log-file.ts";
import { linePieces } from "./standard-stream.ts";

export interface RotatingFileOptions extends LogFileOptions {
  /** 0: it is never renamed here, only opened anew when others have done it. */
  readonly maxBytes: number;
  readonly backupCount: number;
  /** Told once for each time in a row that the file can't be renamed. */
  readonly onProblem: (message: string) => void;
}

export class RotatingFile implements LineSink {
  readonly #file: LogFile;
  readonly #options: RotatingFileOptions;
  #inode: number;
  #stuck = false;

  /** Throws what the system says when the file can't be opened. */
  constructor(path: string, options: RotatingFileOptions) {
    this.#file = new LogFile(path, options);
    this.#options = options;
    this.#inode = fstatSync(this.#file.fd).ino;
  }

  /** A batch longer than a file is divided. */
  write(text: string): void {
    const { maxBytes } = this.#options;
    if (this.#file.closed) this.#file.write(text);
    else if (!this.#rotates || Buffer.byteLength(text) <= maxBytes) this.#write(text);
    else for (const piece of linePieces(text, maxBytes)) this.#write(piece);
  }

  #write(text: string): void {
    try {
      this.#makeRoom(Buffer.byteLength(text));
      this.#stuck = false;
    } catch (error) {
      this.#tell(error as Error);
    }
    this.#file.write(text);
  }

  flush(): void {
    this.#file.flush();
  }

  reopen(): void {
    if (this.#file.closed) return;
    this.#file.reopen();
    this.#inode = fstatSync(this.#file.fd).ino;
  }

  close(): void {
    this.#file.close();
  }

  #status(): Stats | undefined {
    return statSync(this.#file.path, { throwIfNoEntry: false });
  }

  get #rotates(): boolean {
    const { maxBytes, backupCount } = this.#options;
    return maxBytes > 0 && backupCount > 0;
  }

  #makeRoom(length: number): void {
    const status = this.#status();
    if (status?.ino !== this.#inode) this.reopen();
    if (this.#isFull(this.#status(), length)) this.#rotate(length);
  }

  #isFull(status: Stats | undefined, length: number): boolean {
    if (!this.#rotates || status === undefined) return false;
    // Python never renames an empty file, however long the line.
    return status.isFile() && status.size > 0 && status.size + length > this.#options.maxBytes;
  }

  #rotate(length: number): void {
    const { fd } = this.#file;
    // Whoever holds it renames: the next line tries again.
    if (!lockFile(fd)) return;
    try {
      const status = this.#status();
      // Another process may have been faster.
      if (status?.ino === this.#inode && this.#isFull(status, length)) this.#rename();
    } finally {
      unlockFile(fd);
    }
    this.reopen();
  }

  #rename(): void {
    const { path } = this.#file;
    for (let number = this.#options.backupCount - 1; number >= 1; number--) {
      renameIfThere(`${path}.${number}`, `${path}.${number + 1}`);
    }
    renameIfThere(path, `${path}.1`);
  }

  #tell(error: Error): void {
    if (this.#stuck) return;
    this.#stuck = true;
    this.#options.onProblem(`Can't rotate ${this.#file.path}: ${error.message}`);
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    // Fewer files than backupCount so far.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/**
 * A file as a body. It is opened when the answer is prepared, so that a missing or unreadable one is an error before
 * the head is sent. It is read through that descriptor: replacing the file on disk can't mix two versions.
 */
import { closeSync, constants, fstatSync, openSync, read, readSync } from "node:fs";
import { type ByteRange, selectRange } from "../request/range.ts";
import { takeBlock } from "./blocks.ts";
import { streamOfPipe } from "./pipe.ts";

/** Up to this size a file is read at once: one write for head and body, like any small answer. */
const smallBytes = 64 * 1024;

/** Where a small file is in its block: room for a head in front of it. */
export const headRoom = 4 * 1024;

/** A smaller file has memory of its own: it costs less than a block in the hands of somebody who doesn't read. */
const blockFrom = 4 * 1024;

/** A FIFO would stop the whole process until somebody writes to it. */
const readOnly = constants.O_RDONLY | constants.O_NONBLOCK;

const chunkBytes = 256 * 1024;

const noBytes = new Uint8Array(0);

/** Which file it is, whatever its name and descriptor, as fstat(2) says it. */
export interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

export interface OpenedFile {
  /** A stream where the length isn't known. */
  readonly body: Uint8Array | OpenFile | ReadableStream<Uint8Array>;
  /** The body is in it, from headRoom on; it is whoever's has the body. */
  readonly block: Buffer | null;
  /** Null when the file can't tell: a pipe, /proc. */
  readonly length: number | null;
  readonly sizeBytes: number;
  /** The bytes that the client has asked for; null: all of them are sent. */
  readonly range: ByteRange | "unsatisfiable" | null;
}

/**
 * Opens bytes [start, start + maxLength) of a file; throws what the system says. `range`: what the client asks for, as
 * askedRange() says it, which is heard if these are the whole file. `unread`: only the figures are needed.
 */
export function openFile(
  path: string,
  start: number,
  maxLength: number,
  range: string | null,
  unread: boolean,
): OpenedFile {
  const fd = openSync(path, readOnly);
  let handedOver = false;
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) {
      throw Object.assign(new Error(`EISDIR: illegal operation on a directory, open '${path}'`), {
        code: "EISDIR",
      });
    }
    // Files of /proc say 0 and have more.
    const known = stat.isFile() && (stat.size > 0 || isEmpty(fd));
    const sizeBytes = known ? stat.size : 0;
    const whole = start === 0 && (maxLength === sizeBytes || maxLength === Infinity);
    const selected = range !== null && known && whole ? selectRange(range, sizeBytes) : null;
    if (selected === "unsatisfiable")
      return { body: noBytes, block: null, length: 0, sizeBytes, range: selected };
    const part = selected ?? { start, length: Math.max(0, Math.min(maxLength, sizeBytes - start)) };
    const length = known ? part.length : null;
    const figures = { length, sizeBytes, range: selected };
    if (unread) {
      return { body: length === null ? new ReadableStream() : noBytes, block: null, ...figures };
    }
    if (length !== null && length <= smallBytes) {
      const block = length < blockFrom ? null : takeBlock();
      const bytes = block?.subarray(headRoom, headRoom + length) ?? Buffer.allocUnsafeSlow(length);
      const body = readSmall(fd, part.start, bytes);
      return { body, block, length, sizeBytes, range: selected };
    }
    handedOver = true;
    if (stat.isFIFO()) return { body: streamOfPipe(fd, start, maxLength), block: null, ...figures };
    const file = new OpenFile(fd, stat, stat.isFile() ? part.start : null, length ?? maxLength);
    return { body: length === null ? streamOf(file) : file, block: null, ...figures };
  } finally {
    if (!handedOver) closeSync(fd);
  }
}

function isEmpty(fd: number): boolean {
  return readSync(fd, new Uint8Array(1), 0, 1, 0) === 0;
}

/** Fills `bytes` from `start` on; what the file had. */
function readSmall(fd: number, start: number, bytes: Buffer): Uint8Array {
  const { length } = bytes;
  let filled = 0;
  while (filled < length) {
    const got = readSync(fd, bytes, filled, length - filled, start + filled);
    // Truncated since fstat: what is there is the file.
    if (got === 0) return bytes.subarray(0, filled);
    filled += got;
  }
  return bytes;
}

/** The one owner of a descriptor. It is closed once, and under no read: its number is soon somebody else's. */
export class OpenFile {
  readonly which: FileIdentity;
  /** The next byte's place; null: where the last read has ended. */
  #position: number | null;
  #left: number;
  #fd: number;
  #reading = false;
  /** Nothing more is to be read. */
  #over = false;

  constructor(fd: number, which: FileIdentity, position: number | null, length: number) {
    this.#fd = fd;
    this.which = which;
    this.#position = position;
    this.#left = length;
  }

  /** The descriptor, to be used before anything else happens; -1 from close() on. */
  get fd(): number {
    return this.#over ? -1 : this.#fd;
  }

  /** The next byte's place; 0 where the file has none. */
  get position(): number {
    return this.#position ?? 0;
  }

  /** Bytes that are still wanted; Infinity: to the end, whatever that is. */
  get left(): number {
    return this.#left;
  }

  /** So many bytes have been taken from the descriptor. */
  advance(count: number): void {
    if (this.#position !== null) this.#position += count;
    this.#left -= count;
  }

  /**
   * Reads the next bytes on another thread; one read at a time. `done`: what has been read, nothing at the file's end.
   * It isn't called behind close(), but `bytes` may still be written to.
   */
  read(bytes: Buffer, done: (error: Error | null, read: Buffer) => void): void {
    // Two at a time would read the same place twice, and a client would get bytes of one part in place of another.
    if (this.#reading) throw new Error("a file is read already");
    this.#reading = true;
    const size = Math.min(bytes.byteLength, this.#left);
    read(this.#fd, bytes, 0, size, this.#position, (error, got) => {
      this.#reading = false;
      if (this.#over) return this.#close();
      if (error === null) this.advance(got);
      done(error, bytes.subarray(0, error === null ? got : 0));
    });
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    if (!this.#reading) this.#close();
  }

  #close(): void {
    closeSync(this.#fd);
  }
}

/** The bytes of a file as a stream, which owns it. */
export function streamOf(file: OpenFile): ReadableStream<Uint8Array> {
  return new ReadableStream(new FileSource(file), { highWaterMark: 0 });
}

class FileSource {
  readonly #file: OpenFile;
  /** Of the read that is under way. */
  #pulled: (() => void) | null = null;

  constructor(file: OpenFile) {
    this.#file = file;
  }

  pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const file = this.#file;
    this.#pulled = resolve;
    const bytes = Buffer.allocUnsafeSlow(Math.min(file.left, chunkBytes));
    file.read(bytes, (error, read) => {
      this.#pulled = null;
      if (error !== null) {
        file.close();
        return reject(error);
      }
      if (read.byteLength > 0) controller.enqueue(read);
      // An early end is the pump's to judge: it counts.
      if (read.byteLength === 0 || file.left === 0) {
        file.close();
        controller.close();
      }
      resolve();
    });
    return promise;
  }

  cancel(): void {
    this.#file.close();
    this.#pulled?.();
  }
}

/**
 * A file as a body. It is opened when the answer is prepared, so that a missing or unreadable one is an error before
 * the head is sent. It is read through that descriptor: replacing the file on disk can't mix two versions.
 */
import { closeSync, fstatSync, openSync, read, readSync } from "node:fs";
import { type ByteRange, selectRange } from "../request/range.ts";

/** Up to this size a file is read at once: one write for head and body, like any small answer. */
const smallBytes = 64 * 1024;

const chunkBytes = 256 * 1024;

const noBytes = new Uint8Array(0);

export interface OpenedFile {
  readonly body: Uint8Array | ReadableStream<Uint8Array>;
  /** Null when the file can't tell: a pipe, /proc. */
  readonly length: number | null;
  readonly sizeBytes: number;
  /** The bytes that the client has asked for; null: all of them are sent. */
  readonly range: ByteRange | "unsatisfiable" | null;
}

/**
 * Opens bytes [start, start + maxLength) of a file; throws what the system says. `range`: what the client asks for of a
 * whole file, as askedRange() says it. `unread`: only the figures are needed.
 */
export function openFile(
  path: string,
  start: number,
  maxLength: number,
  range: string | null,
  unread: boolean,
): OpenedFile {
  const fd = openSync(path, "r");
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
    const selected = range !== null && known ? selectRange(range, sizeBytes) : null;
    if (selected === "unsatisfiable")
      return { body: noBytes, length: 0, sizeBytes, range: selected };
    const part = selected ?? { start, length: Math.max(0, Math.min(maxLength, sizeBytes - start)) };
    const length = known ? part.length : null;
    const figures = { length, sizeBytes, range: selected };
    if (unread) return { body: length === null ? new ReadableStream() : noBytes, ...figures };
    if (length !== null && length <= smallBytes) {
      return { body: readSmall(fd, part.start, length), ...figures };
    }
    handedOver = true;
    const source = new FileSource(fd, stat.isFile() ? part.start : null, length ?? Infinity);
    return { body: new ReadableStream(source, { highWaterMark: 0 }), ...figures };
  } finally {
    if (!handedOver) closeSync(fd);
  }
}

function isEmpty(fd: number): boolean {
  return readSync(fd, new Uint8Array(1), 0, 1, 0) === 0;
}

function readSmall(fd: number, start: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const got = readSync(fd, bytes, filled, length - filled, start + filled);
    // Truncated since fstat: what is there is the file.
    if (got === 0) break;
    filled += got;
  }
  return bytes.subarray(0, filled);
}

/** The one owner of a descriptor. It is closed once, and under no read: its number is soon somebody else's. */
class FileSource {
  readonly #fd: number;
  /** Null: where the last read has ended. */
  #position: number | null;
  #left: number;
  #reading = false;
  /** Nothing more is to be read. */
  #over = false;
  #closed = false;

  constructor(fd: number, position: number | null, length: number) {
    this.#fd = fd;
    this.#position = position;
    this.#left = length;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#reading = true;
    try {
      const bytes = await readChunk(this.#fd, Math.min(this.#left, chunkBytes), this.#position);
      // Cancelled meanwhile: the stream takes no more.
      if (this.#over) return;
      if (this.#position !== null) this.#position += bytes.byteLength;
      this.#left -= bytes.byteLength;
      if (bytes.byteLength > 0) controller.enqueue(bytes);
      // An early end is the pump's to judge: it counts.
      if (bytes.byteLength === 0 || this.#left === 0) {
        this.#over = true;
        controller.close();
      }
    } catch (error) {
      this.#over = true;
      throw error;
    } finally {
      this.#reading = false;
      this.#closeIfOver();
    }
  }

  cancel(): void {
    this.#over = true;
    this.#closeIfOver();
  }

  #closeIfOver(): void {
    if (!this.#over || this.#reading || this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }
}

function readChunk(fd: number, sizeBytes: number, position: number | null): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  read(fd, bytes, 0, sizeBytes, position, (error, got) => {
    if (error === null) resolve(bytes.subarray(0, got));
    else reject(error);
  });
  return promise;
}

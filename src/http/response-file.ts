// A file as a body. It is opened when the answer is prepared, so that a missing or unreadable one is an error before the head
// is sent, and read through that descriptor: replacing the file on disk can't mix two versions.

import { closeSync, fstatSync, openSync, read, readSync } from "node:fs";

/** Up to this size a file is read at once: one write for head and body, like any small answer. */
const SMALL_BYTES = 64 * 1024;

const CHUNK_BYTES = 256 * 1024;

const noBytes = new Uint8Array(0);

export interface OpenedFile {
  readonly body: Uint8Array | ReadableStream<Uint8Array>;
  /** Null when the file can't tell: a pipe, /proc. */
  readonly length: number | null;
  readonly sizeBytes: number;
}

/** Opens bytes [start, start + length) of a file; throws what the system says. `unread`: only the figures are needed. */
export function openFile(
  path: string,
  start: number,
  maxLength: number,
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
    const length = known ? Math.max(0, Math.min(maxLength, sizeBytes - start)) : null;
    if (unread)
      return { body: length === null ? new ReadableStream() : noBytes, length, sizeBytes };
    if (length !== null && length <= SMALL_BYTES) {
      return { body: readSmall(fd, start, length), length, sizeBytes };
    }
    handedOver = true;
    return { body: fileStream(fd, start, length, stat.isFile()), length, sizeBytes };
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

function fileStream(
  fd: number,
  start: number,
  length: number | null,
  seekable: boolean,
): ReadableStream<Uint8Array> {
  let position = start;
  let left = length ?? Infinity;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const bytes = await readChunk(
            fd,
            Math.min(left, CHUNK_BYTES),
            seekable ? position : null,
          );
          position += bytes.byteLength;
          left -= bytes.byteLength;
          if (bytes.byteLength > 0) controller.enqueue(bytes);
          // An early end is the pump's to judge: it counts.
          if (bytes.byteLength === 0 || left === 0) {
            controller.close();
            closeSync(fd);
          }
        } catch (error) {
          controller.error(error);
          closeSync(fd);
        }
      },
      cancel() {
        closeSync(fd);
      },
    },
    { highWaterMark: 0 },
  );
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

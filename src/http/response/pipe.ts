/** A FIFO as a body: what is written to it, until the last writer has closed it. */
import { closeSync } from "node:fs";

/**
 * Bytes [start, start + maxLength) of what comes. Whoever isn't there yet to write is waited for. The stream owns the
 * descriptor, which blocks no reader.
 */
export function streamOfPipe(
  fd: number,
  start: number,
  maxLength: number,
): ReadableStream<Uint8Array> {
  return new ReadableStream(new PipeSource(fd, start, maxLength), { highWaterMark: 0 });
}

class PipeSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #fd: number | null;
  /** Bytes that are left out before the first. */
  #skipped: number;
  #left: number;

  constructor(fd: number, start: number, maxLength: number) {
    this.#fd = fd;
    this.#skipped = start;
    this.#left = maxLength;
    // Bun waits for it beside its sockets, and leaves it open.
    this.#reader = Bun.file(fd).stream().getReader() as never;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      while (this.#left > 0) {
        const { done, value } = await this.#reader.read();
        if (done) break;
        const bytes = this.#wanted(value);
        if (bytes.byteLength > 0) return controller.enqueue(bytes);
      }
      // More may come than was wanted.
      await this.#reader.cancel();
    } catch (error) {
      this.#close();
      throw error;
    }
    // Cancelled: it is closed already.
    if (this.#fd === null) return;
    this.#close();
    controller.close();
  }

  #wanted(bytes: Uint8Array): Uint8Array {
    const wanted = bytes.subarray(this.#skipped).subarray(0, this.#left);
    this.#skipped -= Math.min(this.#skipped, bytes.byteLength);
    this.#left -= wanted.byteLength;
    return wanted;
  }

  async cancel(reason: unknown): Promise<void> {
    const cancelled = this.#reader.cancel(reason);
    this.#close();
    await cancelled;
  }

  #close(): void {
    const fd = this.#fd;
    this.#fd = null;
    if (fd !== null) closeSync(fd);
  }
}

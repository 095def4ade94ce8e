/** A FIFO as a body: what is written to it, until the last writer has closed it. */
import { closeSync } from "node:fs";

/** Whoever isn't there yet to write is waited for. The stream owns the descriptor, which blocks no reader. */
export function streamOfPipe(fd: number): ReadableStream<Uint8Array> {
  return new ReadableStream(new PipeSource(fd), { highWaterMark: 0 });
}

class PipeSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #fd: number | null;

  constructor(fd: number) {
    this.#fd = fd;
    // Bun waits for it beside its sockets, and leaves it open.
    this.#reader = Bun.file(fd).stream().getReader() as never;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const { done, value } = await this.#reader.read();
      if (!done) return controller.enqueue(value);
    } catch (error) {
      this.#close();
      throw error;
    }
    // Cancelled: it is closed already.
    if (this.#fd === null) return;
    this.#close();
    controller.close();
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

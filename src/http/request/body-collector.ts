/**
 * Gathers a whole body in one buffer, which is exact when the length was right. Bun's own sink, since its buffer counts
 * as memory of the heap only when it is handed out: bodies that are under way would raise the collector's threshold,
 * each collection come late, and every body cost the page faults of memory that is cold by then (bench: upload).
 */

/**
 * How much memory a Content-Length is believed for, as a multiple of what has arrived: a client that sends little costs
 * little.
 */
const trustFactor = 16;

/** How much memory it is believed for in all; beyond that, the buffer doubles. */
const preallocateBytes = 1024 * 1024;

export class Collector {
  readonly done: PromiseWithResolvers<Uint8Array> = Promise.withResolvers();
  readonly #length: number;
  #sink: Bun.ArrayBufferSink | null = null;

  constructor(length: number | null) {
    this.#length = length ?? 0;
  }

  add(bytes: Uint8Array): void {
    this.#sink ??= this.#start(bytes.byteLength);
    this.#sink.write(bytes as Uint8Array<ArrayBuffer>);
  }

  /** To be called once. */
  take(): Uint8Array {
    return this.#sink === null ? new Uint8Array(0) : (this.#sink.end() as Uint8Array);
  }

  #start(arrivedBytes: number): Bun.ArrayBufferSink {
    const promised = Math.min(this.#length, preallocateBytes, arrivedBytes * trustFactor);
    const sink = new Bun.ArrayBufferSink();
    sink.start({ asUint8Array: true, highWaterMark: Math.max(promised, arrivedBytes) });
    return sink;
  }
}

/**
 * Frees a received chunk that is body and nothing else, now that it is copied: left to the garbage
 * collector, the chunks of a large upload cost their page faults anew (bench: upload).
 */
export function release(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (bytes.byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/**
 * Gathers a whole body in one buffer, which is exact when the length was right.
 *
 * Of a body of known length that is an array of our own, so that a socket can be read straight into it. Bun's own sink
 * gathers the others: its buffer grows without a copy, and counts as memory of the heap only when it is handed out.
 */

/**
 * How much memory a Content-Length is believed for, as a multiple of what has arrived: a client that sends little costs
 * little.
 */
const trustFactor = 16;

/** How much memory it is believed for in all; beyond that, the buffer doubles. */
const preallocateBytes = 1024 * 1024;

/** The smallest chunk that is freed by hand though it holds a head too. */
const largeChunk = 16 * 1024;

export class Collector {
  readonly done: PromiseWithResolvers<Uint8Array> = Promise.withResolvers();
  /** 0 for an unknown one. */
  readonly #length: number;
  #bytes = new Uint8Array(0);
  #filled = 0;
  #sink: Bun.ArrayBufferSink | null = null;

  constructor(length: number | null) {
    this.#length = length ?? 0;
  }

  add(bytes: Uint8Array): void {
    if (this.#length === 0) {
      this.#sink ??= startSink(bytes.byteLength);
      this.#sink.write(bytes as Uint8Array<ArrayBuffer>);
      return;
    }
    this.#reserve(bytes.byteLength);
    this.#bytes.set(bytes, this.#filled);
    this.#filled += bytes.byteLength;
  }

  /** Where bytes may be put that received() is told of then; null: they are to be added. */
  get room(): Uint8Array | null {
    if (this.#filled >= this.#length) return null;
    if (this.#filled === this.#bytes.byteLength) this.#reserve(1);
    return this.#bytes.subarray(this.#filled);
  }

  /** So many bytes stand at the beginning of `room`. */
  received(count: number): void {
    this.#filled += count;
  }

  /** To be called once. */
  take(): Uint8Array {
    if (this.#sink !== null) return this.#sink.end() as Uint8Array;
    // A copy where the length was wrong: what hasn't been written isn't zeros.
    return this.#filled === this.#bytes.byteLength
      ? this.#bytes
      : this.#bytes.slice(0, this.#filled);
  }

  #reserve(count: number): void {
    const needed = this.#filled + count;
    if (needed <= this.#bytes.byteLength) return;
    const believed = Math.min(preallocateBytes, count * trustFactor);
    const wanted = Math.max(needed, 2 * this.#filled, believed);
    const size = Math.max(needed, Math.min(this.#length, wanted));
    // Not filled with zeros, which are a seventh of an upload's time (bench: upload).
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
    bytes.set(this.#bytes.subarray(0, this.#filled));
    release(this.#bytes);
    this.#bytes = bytes;
  }
}

function startSink(arrivedBytes: number): Bun.ArrayBufferSink {
  const sink = new Bun.ArrayBufferSink();
  sink.start({ asUint8Array: true, highWaterMark: arrivedBytes });
  return sink;
}

/**
 * Frees a received chunk that is body and nothing else, now that it is copied: left to the garbage collector, the chunks
 * of a large upload cost their page faults anew (bench: upload).
 */
export function release(bytes: Uint8Array): void {
  if (bytes.byteLength === bytes.buffer.byteLength) free(bytes);
}

/** The same of a chunk that begins with a head, of which nobody needs the bytes any more. */
export function releaseChunk(bytes: Uint8Array): void {
  if (bytes.byteLength >= largeChunk) free(bytes);
}

function free({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/**
 * Where the chunks of a streamed body come from: a stream's reader; or the async generator that a Response was made
 * from, which is asked without a stream in between (bench: generator).
 */
import { takeWhole } from "./globals/direct-stream.ts";
import { nativeNext, nativeReturn } from "./globals/generator.ts";

export interface Chunk {
  readonly done?: boolean;
  readonly value?: unknown;
}

/** Nothing is believed about its chunks. */
export interface ChunkSource {
  read(): Promise<Chunk>;
  cancel(reason?: unknown): Promise<unknown>;
  /** null and undefined are no chunks of a generator. */
  readonly isGenerator?: true;
}

/** Whom a generator may write to by itself. */
export interface ChunkSink {
  readonly ended: boolean;
  /** Resolves when the client has read; null: it has. */
  readonly room: Promise<void> | null;
  push(chunk: Uint8Array | string): void;
  /** Sends what was pushed. */
  leave(): void;
  /** The body is complete, or fails. */
  close(error?: unknown): void;
}

/** `generator`: what `body` was made from, or null. Throws a TypeError when something else reads the body. */
export function sourceOf(
  body: ReadableStream,
  generator: AsyncGenerator | null,
  sink: ChunkSink,
): ChunkSource {
  if (generator !== null) return new GeneratorSource(body, generator, sink);
  takeWhole(body);
  return body.getReader();
}

class GeneratorSource implements ChunkSource {
  readonly isGenerator = true;
  readonly #generator: AsyncGenerator;
  readonly #controller: Controller;

  constructor(body: ReadableStream, generator: AsyncGenerator, sink: ChunkSink) {
    this.#generator = generator;
    this.#controller = new Controller(sink);
    // Nobody else can read it.
    body.getReader();
  }

  read(): Promise<Chunk> {
    return nativeNext.call(this.#generator, this.#controller);
  }

  /** Never by throw(): bun-types/docs/runtime/streams.mdx, "Async generator streams". */
  cancel(): Promise<unknown> {
    return nativeReturn.call(this.#generator, undefined);
  }
}

/** What `yield` returns: the controller of a direct stream (the same page). */
class Controller {
  readonly #sink: ChunkSink;

  constructor(sink: ChunkSink) {
    this.#sink = sink;
  }

  start(): void {}

  /** Bytes taken; a promise of that while the client doesn't read; 0 behind the end. */
  write(chunk: unknown): number | Promise<number> {
    const bytes = typeof chunk === "string" ? chunk : toBytes(chunk);
    if (bytes === null) {
      throw new TypeError("write() expects a string, ArrayBufferView, or ArrayBuffer");
    }
    if (this.#sink.ended) return 0;
    this.#sink.push(bytes);
    return this.#taken(typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.byteLength);
  }

  flush(): number | Promise<number> {
    this.#sink.leave();
    return this.#taken(0);
  }

  end(): number {
    this.#sink.close();
    return 0;
  }

  close(error?: unknown): void {
    this.#sink.close(error);
  }

  #taken(size: number): number | Promise<number> {
    return this.#sink.room?.then(() => size) ?? size;
  }
}

/** The bytes of a buffer or a view; null for anything else. */
export function toBytes(chunk: unknown): Uint8Array | null {
  if (chunk instanceof Uint8Array) return chunk;
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  return null;
}

// A request body between two parties: the connection pushes bytes, the app reads them or doesn't.
// Invariant: bytes leave in order and once, to one consumer: the collector (text(), bytes(), ...) or the stream (.body).
// Invariant: unread bytes stay near highWaterBytes, since the source is paused above it, unless a collector wants all.

import { convertBody, plainBytes, rejectUsedBody } from "./body-convert.ts";
import type { BodyKind, BodyResult } from "./body-convert.ts";

/** What a body asks of the connection that fills it. */
export interface BodySource {
  /** The app wants the body: called once, the moment to send 100 Continue. */
  onFirstRead(): void;
  /** Enough is buffered: stop reading from the socket. */
  onPause(): void;
  /** The buffer has been read: go on. */
  onResume(): void;
}

export const highWaterBytes = 64 * 1024;

/** How much memory a Content-Length is believed for, as a multiple of what has arrived: a client that sends little costs little. */
const trustFactor = 16;

/** And how much in all; beyond it, the buffer doubles. */
const preallocateBytes = 1024 * 1024;

export class RequestBody {
  readonly #source: BodySource;
  readonly #length: number | null;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #ended = false;
  #error: unknown = undefined;
  #failed = false;
  #touched = false;
  #paused = false;
  #discarded = false;
  #collecting: Collector | null = null;
  #collected = false;
  #stream: ReadableStream<Uint8Array> | null = null;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #wanted = false;
  #disturbed = false;
  #teed = false;

  /** `length` is the Content-Length, null for a chunked body. */
  constructor(source: BodySource, length: number | null) {
    this.#source = source;
    this.#length = length;
  }

  /** Bytes from the connection, in order, handed over: a whole buffer may be freed once it is copied, a view is kept until read. */
  push(bytes: Uint8Array): void {
    if (bytes.byteLength === 0 || this.#ended || this.#failed || this.#discarded) return;
    if (this.#collecting !== null) {
      this.#collecting.add(bytes);
      release(bytes);
    } else if (this.#wanted) {
      this.#wanted = false;
      this.#controller?.enqueue(plainBytes(bytes));
    } else {
      this.#queue.push(bytes);
      this.#queuedBytes += bytes.byteLength;
      this.#pauseIfFull();
    }
  }

  /** The whole body has been pushed. */
  end(): void {
    if (this.#ended || this.#failed) return;
    this.#ended = true;
    this.#settle();
  }

  /** The body will never be complete: whoever reads it gets `error`. */
  fail(error: unknown): void {
    if (this.#ended || this.#failed) return;
    this.#failed = true;
    this.#error = error;
    this.#dropQueue();
    this.#settle();
    // There is room for the rest, if only to be dropped.
    this.#resume();
  }

  /**
   * The exchange is over: what nobody has asked for is dropped, now and when it comes, and a later read gets `error`.
   * A read of the whole that is under way still gets its bytes.
   */
  abandon(error: unknown): void {
    if (this.#discarded || this.#collecting !== null || this.complete) return;
    this.#discarded = true;
    // Arrived, but never to be read.
    this.#ended = false;
    this.fail(error);
  }

  /** Everything has arrived, and the app holds it or has it buffered in a reader's hands. */
  get complete(): boolean {
    return this.#ended && this.#queuedBytes === 0;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The app has asked for the body, in whatever form. */
  get touched(): boolean {
    return this.#touched;
  }

  /** Nobody will read the rest: the app has cancelled its stream, or the exchange is over. */
  get discarded(): boolean {
    return this.#discarded;
  }

  /** As Request.bodyUsed in Bun: a lock counts as use. */
  get used(): boolean {
    return this.#collected || this.#disturbed || (this.#stream !== null && this.#stream.locked);
  }

  get stream(): ReadableStream<Uint8Array> {
    if (this.#stream === null) {
      this.#touch();
      this.#stream = this.#createStream();
      // As native: after text(), body is there but locked.
      if (this.#collected) this.#stream.getReader();
    }
    return this.#stream;
  }

  read<Kind extends BodyKind>(kind: Kind, contentType: string): Promise<BodyResult[Kind]> {
    if (this.used) return rejectUsedBody(kind);
    this.#touch();
    if (this.#teed) return convertBody(kind, contentType, this.stream);
    this.#collected = true;
    this.#stream?.getReader();
    if (this.#failed) return Promise.reject(this.#error);
    const first = this.#queue[0];
    if (this.#ended && first !== undefined && this.#queue.length === 1) {
      this.#dropQueue();
      return convertBody(kind, contentType, first);
    }
    const collector = new Collector(this.#length);
    for (const bytes of this.#queue) {
      collector.add(bytes);
      release(bytes);
    }
    this.#dropQueue();
    if (this.#ended) return convertBody(kind, contentType, collector.take(), true);
    this.#collecting = collector;
    this.#resume();
    return collector.done.promise.then((bytes) => convertBody(kind, contentType, bytes, true));
  }

  /** A second reader for the same bytes, for clone(); undefined when the body has been used. */
  fork(): Uint8Array | ReadableStream<Uint8Array> | undefined {
    if (this.used) return undefined;
    if (this.#ended && this.#stream === null) {
      const collector = new Collector(this.#length);
      for (const bytes of this.#queue) collector.add(bytes);
      return collector.take();
    }
    const [kept, given] = this.stream.tee();
    this.#stream = kept;
    this.#teed = true;
    // The branches are read through the source stream, whose pulls no longer say anything about `kept`.
    this.#disturbed = false;
    return given;
  }

  #createStream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          if (this.#failed) controller.error(this.#error);
          else if (this.complete) controller.close();
        },
        pull: () => this.#pull(),
        cancel: () => {
          this.#disturbed = true;
          this.#controller = null;
          this.#discarded = true;
          this.#dropQueue();
          this.#resume();
        },
      },
      // Nothing is queued in the stream itself: pull means that somebody reads.
      { highWaterMark: 0 },
    );
  }

  #pull(): void {
    if (!this.#teed) this.#disturbed = true;
    const bytes = this.#queue.shift();
    if (bytes === undefined) {
      this.#wanted = true;
      this.#resume();
      return;
    }
    this.#queuedBytes -= bytes.byteLength;
    this.#controller?.enqueue(plainBytes(bytes));
    if (this.complete) this.#closeStream();
    else if (this.#queuedBytes === 0) this.#resume();
  }

  #settle(): void {
    const collecting = this.#collecting;
    if (collecting !== null) {
      this.#collecting = null;
      if (this.#failed) collecting.done.reject(this.#error);
      else collecting.done.resolve(collecting.take());
    } else if (this.#failed) {
      this.#controller?.error(this.#error);
      this.#controller = null;
    } else if (this.#queuedBytes === 0) {
      this.#closeStream();
    }
  }

  #closeStream(): void {
    this.#controller?.close();
    this.#controller = null;
  }

  #dropQueue(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #touch(): void {
    if (this.#touched) return;
    this.#touched = true;
    if (!this.#ended && !this.#failed) this.#source.onFirstRead();
  }

  #pauseIfFull(): void {
    if (this.#paused || this.#queuedBytes < highWaterBytes) return;
    this.#paused = true;
    this.#source.onPause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#source.onResume();
  }
}

/**
 * Gathers a whole body in one buffer, which is exact when the length was right. Bun's own sink, since its buffer counts as
 * memory of the heap only when it is handed out: bodies that are under way would raise the collector's threshold, each
 * collection come late, and every body cost the page faults of memory that is cold by then (bench: upload).
 */
class Collector {
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
function release(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (bytes.byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

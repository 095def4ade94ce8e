/**
 * A request body between two parties: the connection pushes bytes, the app reads them or doesn't.
 *
 * Invariants: bytes leave in order and once, to one reader; unread bytes stay near highWaterBytes, since the source is
 * paused above it, unless a collector wants them all.
 *
 * | arrival   | what the connection has done                   | what may follow                            |
 * | --------- | ---------------------------------------------- | ------------------------------------------ |
 * | arriving  | it has pushed some of the body, or nothing yet | any of the others                          |
 * | ended     | it has pushed all; some may wait for a reader  | abandoned, unless everything has been read |
 * | failed    | it can't get the rest: a reader gets the error | abandoned                                  |
 * | abandoned | it has given the answer: what nobody has asked | nothing                                    |
 * |           | for by then is dropped, now and when it comes  |                                            |
 *
 * | reader     | what the app has done                            | what may follow                        |
 * | ---------- | ------------------------------------------------ | -------------------------------------- |
 * | none       | it hasn't asked for the body                     | held, collecting                       |
 * | held       | it has the stream (.body), and has read nothing  | teed, streaming, collecting, cancelled |
 * | teed       | it has two streams: of this request and a clone  | cancelled: both are                    |
 * | streaming  | it reads the stream                              | cancelled                              |
 * | collecting | it wants the whole at once (text(), json(), ...) | nothing                                |
 * | cancelled  | it has cancelled the stream: the rest is dropped | nothing                                |
 */
import { Collector, release, releaseChunk } from "./body-collector.ts";
import { convertBody, copiesAtOnce, plainBytes, rejectUsedBody } from "./body-convert.ts";
import type { BodyKind, BodyResult } from "./body-convert.ts";
import { highWaterBytes } from "../limits.ts";
import type { Head } from "../syntax/head.ts";

/** What a body asks of the connection that fills it. */
export interface BodySource {
  /** The app wants the body: called once, the moment to send 100 Continue. */
  onFirstRead(): void;
  /** Enough is buffered: stop reading from the socket. */
  onPause(): void;
  /** The buffer has been read: go on. */
  onResume(): void;
}

const arriving = 0;
const ended = 1;
const failed = 2;
const abandoned = 3;

const none = 0;
const held = 1;
const teed = 2;
const streaming = 3;
const collecting = 4;
const cancelled = 5;

export class RequestBody {
  /** The fields behind the last chunk, from end() on; null: there are none. */
  trailers: Head | null = null;
  readonly #source: BodySource;
  readonly #length: number | null;
  #arrival: typeof arriving | typeof ended | typeof failed | typeof abandoned = arriving;
  #reader:
    | typeof none
    | typeof held
    | typeof teed
    | typeof streaming
    | typeof collecting
    | typeof cancelled = none;
  #queue: Uint8Array[] = [];
  /** One of #queue whose chunk nobody else refers to. */
  #alone: Uint8Array | null = null;
  #queuedBytes = 0;
  /** What readers get of a body that has failed or was abandoned. */
  #error: unknown = undefined;
  /** The source was told to wait. */
  #paused = false;
  /** A read of the stream waits for bytes. */
  #wanted = false;
  /** Gathers what comes, while a reader waits for the whole. */
  #collector: Collector | null = null;
  /** It outlives its exchange. */
  #kept = false;
  #stream: ReadableStream<Uint8Array> | null = null;
  /** The stream's, until it is closed, failed or cancelled. */
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;

  /** `length` is the Content-Length, null for a chunked body. */
  constructor(source: BodySource, length: number | null) {
    this.#source = source;
    this.#length = length;
  }

  /**
   * Takes bytes of the connection, in order. They are handed over: a whole buffer may be freed once it is copied, a
   * view is kept until it is read.
   * @param alone nobody else refers to the chunk that they are a part of
   */
  push(bytes: Uint8Array, alone = false): void {
    if (bytes.byteLength === 0 || this.#arrival !== arriving || this.#reader === cancelled) return;
    if (this.#collector !== null) {
      this.#collector.add(bytes);
      release(bytes);
    } else if (this.#wanted) {
      this.#wanted = false;
      this.#controller?.enqueue(plainBytes(bytes));
    } else {
      if (alone) this.#alone = bytes;
      this.#queue.push(bytes);
      this.#queuedBytes += bytes.byteLength;
      this.#pauseIfFull();
    }
  }

  /** Where bytes may be put in place of a push(), while the whole is gathered; null: nowhere. */
  get room(): Uint8Array | null {
    return this.#collector === null ? null : this.#collector.room;
  }

  /** So many bytes have been put at the beginning of `room`. */
  received(count: number): void {
    this.#collector?.received(count);
  }

  /** The whole body has been pushed. */
  end(): void {
    if (this.#arrival !== arriving) return;
    this.#arrival = ended;
    // No more of it comes: to stop would only cost the system calls (bench: uploads of 64 KiB and more, in one piece).
    this.#resume();
    this.#settle();
  }

  /** The body will never be complete: whoever reads it gets `error`. */
  fail(error: unknown): void {
    if (this.#arrival === arriving) this.#break(failed, error);
  }

  /**
   * The exchange is over: what nobody has asked for is dropped, now and when it comes, and a later read gets `error`.
   * A read of the whole that is under way still gets its bytes.
   */
  abandon(error: unknown): void {
    if (this.#kept || this.discarded || this.#collector !== null || this.complete) return;
    if (this.#arrival === failed) this.#arrival = abandoned;
    else this.#break(abandoned, error);
  }

  /** Whoever reads it goes on behind the answer, as node listeners may: abandon() does nothing from here on. */
  keep(): void {
    this.#kept = true;
  }

  /** Everything has arrived, and nothing of it waits for a reader. */
  get complete(): boolean {
    return this.#arrival === ended && this.#queuedBytes === 0;
  }

  get ended(): boolean {
    return this.#arrival === ended;
  }

  /** The app has asked for the body, in whatever form. */
  get touched(): boolean {
    return this.#reader !== none;
  }

  /** Nobody will read the rest: the app has cancelled its stream, or the exchange is over. */
  get discarded(): boolean {
    return this.#reader === cancelled || this.#arrival === abandoned;
  }

  /** As Request.bodyUsed in Bun: a lock counts as use. */
  get used(): boolean {
    return this.#reader >= streaming || (this.#stream !== null && this.#stream.locked);
  }

  get stream(): ReadableStream<Uint8Array> {
    if (this.#stream === null) {
      if (this.#reader === none) this.#ask(held);
      this.#stream = this.#createStream();
      // As native: after text(), body is there but locked.
      if (this.#reader === collecting) this.#stream.getReader();
    }
    return this.#stream;
  }

  read<Kind extends BodyKind>(kind: Kind, contentType: string): Promise<BodyResult[Kind]> {
    if (this.used) return rejectUsedBody(kind);
    if (this.#reader === teed) return convertBody(kind, contentType, this.stream);
    this.#ask(collecting);
    this.#stream?.getReader();
    if (this.#arrival >= failed) return Promise.reject(this.#error);
    const first = this.#queue[0];
    if (this.#arrival === ended && first !== undefined && this.#queue.length === 1) {
      const alone = first === this.#alone;
      this.#dropQueue();
      const converted = convertBody(kind, contentType, first);
      if (alone && copiesAtOnce(kind)) releaseChunk(first);
      return converted;
    }
    const collector = new Collector(this.#length);
    for (const bytes of this.#queue) {
      collector.add(bytes);
      if (bytes === this.#alone) releaseChunk(bytes);
      else release(bytes);
    }
    this.#dropQueue();
    if (this.#arrival === ended) return convertBody(kind, contentType, collector.take(), true);
    this.#collector = collector;
    this.#resume();
    return collector.done.promise.then((bytes) => convertBody(kind, contentType, bytes, true));
  }

  /** A second reader for the same bytes, for clone(); undefined when the body has been used. */
  fork(): Uint8Array | ReadableStream<Uint8Array> | undefined {
    if (this.used) return undefined;
    if (this.#arrival === ended && this.#stream === null) {
      const collector = new Collector(this.#length);
      for (const bytes of this.#queue) collector.add(bytes);
      return collector.take();
    }
    const { stream } = this;
    // Before tee(), which may pull: the pulls of the source stream say nothing about `kept`.
    this.#reader = teed;
    const [kept, given] = stream.tee();
    this.#stream = kept;
    return given;
  }

  #createStream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          if (this.#arrival >= failed) controller.error(this.#error);
          else if (this.complete) controller.close();
        },
        pull: () => this.#pull(),
        cancel: () => {
          this.#reader = cancelled;
          this.#controller = null;
          this.#dropQueue();
          this.#resume();
        },
      },
      // Nothing is queued in the stream itself: pull means that somebody reads.
      { highWaterMark: 0 },
    );
  }

  #pull(): void {
    if (this.#reader === held) this.#reader = streaming;
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

  #break(arrival: typeof failed | typeof abandoned, error: unknown): void {
    this.#arrival = arrival;
    this.#error = error;
    this.#dropQueue();
    this.#settle();
    // There is room for the rest, if only to be dropped.
    this.#resume();
  }

  /** Tells whoever waits that nothing more comes. */
  #settle(): void {
    const collector = this.#collector;
    if (collector !== null) {
      this.#collector = null;
      if (this.#arrival === ended) collector.done.resolve(collector.take());
      else collector.done.reject(this.#error);
    } else if (this.#arrival !== ended) {
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
    this.#alone = null;
  }

  #ask(reader: typeof held | typeof collecting): void {
    const first = this.#reader === none;
    this.#reader = reader;
    if (first && this.#arrival === arriving) this.#source.onFirstRead();
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

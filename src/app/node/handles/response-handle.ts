/**
 * The native half of a node:http exchange. Bun's IncomingMessage and ServerResponse are JavaScript above an object of Bun's that
 * reads and writes the connection; of a request that this server has read, this is that object. What the listener writes becomes
 * a Response: whole if it ends at once, a stream otherwise. The names of methods and the numbers are those that Bun's code uses.
 */
import type { LazyAnswer } from "../../../http/response/globals/lazy-response.ts";
import { ConnectionCut } from "../../connection-cut.ts";
import { AnswerStream } from "./answer-stream.ts";
import { type Body, BodyFeed, type BodySink } from "./body-feed.ts";
import { bodyOf, checkLength, type Chunk, copyOf } from "./chunk.ts";
import type { EngineConnection, EngineExchange } from "./engine-exchange.ts";
import { type AnswerHead, toNativeResponse, toResponse } from "./to-response.ts";

/** Bits of `flags`. */
const socketClosed = 1;
const completed = 2;
const ended = 4;

/** Values of `hasBody`. */
const bodyNone = 0;
const bodyPending = 2;
const bodyDone = 4;

/** What `onabort` is told: the client has left. */
const abortEvent = 1;

/** Bit of what Bun's code would add to the fields. */
const closeField = 4;

export class ResponseHandle implements BodySink {
  flags = 0;
  finished = false;
  hasBody: number;
  onabort: ((event: number) => void) | undefined = undefined;
  ondata: ((bytes: Buffer | undefined, last: boolean, event: number) => void) | undefined =
    undefined;
  /** Set by Bun's code, to be called once when the client takes bytes again. */
  onwritable: (() => void) | undefined = undefined;
  readonly upgraded = false;
  readonly #method: string;
  readonly #fields: readonly string[];
  readonly #feed: BodyFeed | null;
  /** Until the answer is given: it holds the request and the answer, and this here lives as long as its connection idles. */
  #exchange: EngineExchange | null;
  readonly #connection: EngineConnection | null;
  /** Bytes of the body that the listener has written. */
  #written = 0;
  #head: AnswerHead | null = null;
  /** Until it has ended. */
  #stream: AnswerStream | null = null;
  /** Lines, each with its CRLF. */
  #trailers = "";
  /** The head is out, or on its way, and the body follows. */
  #isStarted = false;
  /** The answer, if it has come before somebody waits for it. */
  #response: Response | null = null;
  #waiting: PromiseWithResolvers<Response> | null = null;
  /** Why the answer that the listener has given can't be sent. */
  #failure: unknown = null;

  /**
   * @param fields of the request as they were sent, names and values in turn
   * @param body of the request; null: it has none
   * @param exchange the engine's; null: Bun.serve answers
   */
  constructor(
    method: string,
    fields: readonly string[],
    body: Body | null,
    exchange: EngineExchange | null,
  ) {
    this.#method = method;
    this.#exchange = exchange;
    this.#connection = exchange === null ? null : exchange.connection;
    this.#fields = fields;
    this.hasBody = body === null ? bodyNone : bodyPending;
    this.#feed = body === null ? null : new BodyFeed(body, this);
  }

  /** The answer, if it is there, or a promise of it. Throws ConnectionCut if there won't be one. To be called once. */
  answer(): Response | Promise<Response> {
    const response = this.#response;
    this.#response = null;
    if (response !== null) return response;
    if (this.isOver) throw this.#failure ?? new ConnectionCut();
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  get isOver(): boolean {
    return this.finished || (this.flags & socketClosed) !== 0;
  }

  /** The client has left, or has sent what nobody takes; `reason` is what a fetch app that reads its body would get. */
  clientLeft(reason: unknown): void {
    if (this.isOver) return;
    this.flags |= socketClosed;
    this.#feed?.stop();
    this.#giveUp(reason);
    this.onabort?.(abortEvent);
  }

  /** The listener closes the connection, which it has answered by. */
  hangUp(): void {
    this.#connection?.hangUp();
  }

  // Of the request.

  /** The fields as an object, as node:http makes it; undefined: Bun's code makes it of rawHeaders. */
  headersObject(): undefined {
    return undefined;
  }

  takeRawHeaders(): readonly string[] {
    return this.#fields;
  }

  takeRequestTrailers(): readonly string[] | undefined {
    return this.#feed?.trailers;
  }

  resume(): void {
    this.#feed?.resume();
  }

  pause(): void {
    this.#feed?.pause();
  }

  bodyChunk(bytes: Buffer): void {
    this.ondata?.(bytes, false, 0);
  }

  bodyEnded(): void {
    this.ondata?.(undefined, true, 0);
    this.hasBody = bodyDone;
  }

  bodyBroken(reason: unknown): void {
    this.clientLeft(reason);
  }

  // Of the answer.

  get bufferedAmount(): number {
    if (this.onwritable === undefined || this.#stream === null) return 0;
    return Math.max(1, this.#stream.waitingBytes);
  }

  /** Those of the body: what else goes out is the worker's. */
  getBytesWritten(): number {
    return this.#written;
  }

  cork(call: () => void): void {
    call();
  }

  /** The worker says it to the client when the body is read. */
  writeContinue(): void {
    this.resume();
  }

  /** A whole head (RFC 9110 §15.2), in ASCII. */
  writeInformational(head: string): void {
    this.#exchange?.sendInterim({ head, ascii: true });
  }

  writeHead(
    status: number,
    reason: string | undefined,
    fields: readonly string[],
    added: number,
  ): void {
    // Bun's code uses the list again.
    this.#head = { status, reason, fields: fields.slice(), closes: this.#closes(added) };
  }

  flushHeaders(): void {
    this.#startStream();
  }

  /** Answers how many bytes were taken; less than 0 when the listener should wait for `onWritable`. */
  write(
    chunk: Chunk,
    encoding: BufferEncoding | null | undefined,
    onWritable: (() => void) | undefined,
    strictLength: number | undefined,
  ): number {
    if (this.isOver) return 0;
    const bytes = copyOf(chunk, encoding);
    checkLength(this.#written + bytes.length, strictLength, false);
    this.#written += bytes.length;
    this.#startStream();
    if (this.#stream === null || this.#stream.write(bytes)) return bytes.length;
    this.onwritable = onWritable;
    return -Math.max(1, bytes.length);
  }

  end(
    chunk: Chunk,
    encoding: BufferEncoding | null | undefined,
    _onWritable: undefined,
    strictLength: number | undefined,
  ): number {
    if (this.isOver) return 0;
    const bytes = copyOf(chunk, encoding);
    checkLength(this.#written + bytes.length, strictLength, true);
    this.#written += bytes.length;
    const head = this.#head;
    const stream = this.#stream;
    this.#stream = null;
    this.#finish();
    // The write that the head was made for has thrown.
    if (!this.#isStarted && head !== null) this.#settle(head, bytes);
    stream?.write(bytes);
    stream?.end(this.#trailers);
    return bytes.length;
  }

  /** Answers the length of the body. */
  writeHeadAndEnd(
    status: number,
    reason: string | undefined,
    fields: readonly string[],
    chunk: Chunk,
    encoding: BufferEncoding | null | undefined,
    strictLength: number | undefined,
    added: number,
  ): number {
    if (this.isOver) return 0;
    if (this.#trailers !== "") {
      this.writeHead(status, reason, fields, added);
      this.#startStream();
      return this.end(chunk, encoding, undefined, strictLength);
    }
    const body = chunk ? bodyOf(chunk, encoding) : null;
    const length = typeof body === "string" ? Buffer.byteLength(body) : (body?.length ?? 0);
    checkLength(length, strictLength, true);
    this.#written = length;
    const head = { status, reason, fields, closes: this.#closes(added) };
    this.#finish();
    this.#settle(head, body);
    return length;
  }

  /** The listener gives the answer up. */
  abort(): void {
    if (this.isOver) return;
    this.flags |= socketClosed;
    this.#feed?.stop();
    this.#giveUp(new ConnectionCut());
  }

  /** Bun.serve can't send any. */
  setTrailers(lines: string): void {
    if (this.#connection !== null) this.#trailers = lines;
  }

  unref(): void {}
  ref(): void {}

  #giveUp(reason: unknown): void {
    const stream = this.#stream;
    this.#stream = null;
    if (stream === null) this.#waiting?.reject(reason);
    else stream.cut(new ConnectionCut());
  }

  /** Bun's code says so to each HTTP/1.0 client: whether that one persists, the worker knows. */
  #closes(added: number): boolean {
    return (added & closeField) !== 0 && this.#exchange?.head.versionMinor !== 0;
  }

  /** The body may still be read, but by a client that nobody has asked for it. */
  #finish(): void {
    this.flags |= ended | completed;
    this.finished = true;
    if (this.#exchange?.expectsContinue === true) this.#feed?.stop();
    else this.#feed?.keep();
    this.#exchange = null;
    this.#head = null;
  }

  #startStream(): void {
    if (this.#isStarted || this.#head === null) return;
    this.#isStarted = true;
    const { status } = this.#head;
    if (this.#method === "HEAD" || status === 204 || status === 304) {
      // What is written from here on goes nowhere; who waits for it is told by end().
      return this.#settle(this.#head, null);
    }
    this.#stream = new AnswerStream(
      () => {
        const { onwritable } = this;
        this.onwritable = undefined;
        onwritable?.();
      },
      () => {
        this.#stream = null;
        this.clientLeft(undefined);
      },
    );
    this.#settle(this.#head, this.#stream.readable);
  }

  #settle(head: AnswerHead, body: LazyAnswer["body"]): void {
    try {
      const response =
        this.#connection === null
          ? toNativeResponse(this.#method, head, body)
          : toResponse(head, body);
      if (this.#waiting === null) this.#response = response;
      else this.#waiting.resolve(response);
    } catch (error) {
      // A status that Bun's Response doesn't take.
      this.#failure = error;
      this.#stream = null;
      this.#waiting?.reject(error);
    }
    this.#waiting = null;
  }
}

/**
 * Copies a stream to a connection. Invariants: no more than a few chunks are held while the client doesn't read; the
 * head leaves with the first chunk, or alone if that one keeps us waiting; a body that fails or breaks its word ends
 * without a last chunk, so that no client can take it for complete (RFC 9112 §8).
 */
import { takeWhole } from "./globals/direct-stream.ts";
import type { StreamResponse } from "./head/framing.ts";
import type { OutputBuffer } from "./output.ts";

/** The connection, as the pump sees it. */
export interface PumpTarget {
  readonly output: OutputBuffer;
  /** Writes what `output` holds. False when the client must read first: drained() is called then. */
  flush(): boolean;
  /** Called once, when the stream is over. */
  pumpEnded(outcome: PumpOutcome): void;
}

export type PumpOutcome =
  /** All of it is in `output`, or written. */
  | { readonly type: "complete" }
  /** Close the connection; or answer 500 if `headSent` is false, since nothing has been written yet. */
  | { readonly type: "failed"; readonly error: unknown; readonly headSent: boolean }
  /** Close the connection: the app promised another Content-Length. `message` is for the log. */
  | { readonly type: "wrong length"; readonly message: string }
  /** cancel() was called. */
  | { readonly type: "cancelled" };

/** How much is gathered before the socket is offered it, while chunks come without a wait. */
const gatherBytes = 64 * 1024;

/** How much one stream may send before others get a turn. */
const turnBytes = 1024 * 1024;

const lastChunk = "0\r\n";

interface Chunk {
  readonly done: boolean;
  readonly value?: unknown;
}

/** A stream's reader, of which nothing is believed about its chunks. */
interface Reader {
  read(): Promise<Chunk>;
  cancel(reason?: unknown): Promise<void>;
}

export class StreamPump {
  /** Bytes of the body so far, framing not counted. */
  bodyBytes = 0;
  readonly #response: StreamResponse;
  readonly #body: ReadableStream<Uint8Array>;
  readonly #target: PumpTarget;
  #reader: Reader | null = null;
  #headSent = false;
  #cancelled = false;
  #ended = false;
  #room: PromiseWithResolvers<void> | null = null;
  #turnBytes = 0;

  constructor(response: StreamResponse, body: ReadableStream<Uint8Array>, target: PumpTarget) {
    this.#response = response;
    this.#body = body;
    this.#target = target;
  }

  start(): void {
    this.#run().then(
      (outcome) => this.#end(outcome),
      (error: unknown) => this.#end({ type: "failed", error, headSent: this.#headSent }),
    );
  }

  /** The client has read: there is room again. */
  drained(): void {
    this.#room?.resolve();
    this.#room = null;
  }

  /** The client has left, or the connection gives up: the app's stream is cancelled. */
  cancel(reason: unknown): void {
    if (this.#cancelled || this.#ended) return;
    this.#cancelled = true;
    // What the app's cancel() throws changes nothing any more.
    this.#reader?.cancel(reason).catch(() => {});
    this.drained();
  }

  async #run(): Promise<PumpOutcome> {
    const { framing, length } = this.#response;
    takeWhole(this.#body);
    const reader: Reader = this.#body.getReader();
    this.#reader = reader;
    for (;;) {
      const result = await this.#next(reader);
      if (this.#cancelled) return { type: "cancelled" };
      if (result.done) break;
      const bytes = toBytes(result.value);
      if (bytes === null) {
        void this.#abandon(reader);
        throw new TypeError("A stream of a Response gave a chunk that is neither text nor bytes");
      }
      if (framing === "length" && this.bodyBytes + bytes.byteLength > length) {
        void this.#abandon(reader);
        return this.#wrongLength(`Content-Length is ${length}, the body has more`);
      }
      if (bytes.byteLength > 0) {
        this.#add(bytes);
        if (this.#target.output.byteLength >= gatherBytes) await this.#send();
      }
      if (this.#cancelled) return { type: "cancelled" };
    }
    if (framing === "length" && this.bodyBytes < length) {
      return this.#wrongLength(`Content-Length is ${length}, the body has ${this.bodyBytes} bytes`);
    }
    this.#addHead();
    if (framing === "chunked") this.#addLastChunk();
    return { type: "complete" };
  }

  /** The next chunk. What has been gathered leaves before a wait: an event of a text/event-stream goes out at once. */
  async #next(reader: Reader): Promise<Chunk> {
    const read = reader.read();
    if (Bun.peek.status(read) !== "pending") return read;
    if (this.#headSent) {
      await this.#send();
      return read;
    }
    // A stream that has its first chunk, or its first error, within this turn of the event loop gets one write, or a
    // 500.
    const timer = setImmediate(() => {
      this.#addHead();
      this.#target.flush();
    });
    try {
      return await read;
    } finally {
      clearImmediate(timer);
    }
  }

  #wrongLength(message: string): PumpOutcome {
    if (this.#headSent) return { type: "wrong length", message };
    return { type: "failed", error: new Error(message), headSent: false };
  }

  #addHead(): void {
    if (this.#headSent) return;
    this.#headSent = true;
    this.#target.output.addHead(this.#response);
  }

  #addLastChunk(): void {
    const { trailers } = this.#response;
    const { output } = this.#target;
    const lines = trailers === null ? "" : trailers.lines;
    if (lines === "") output.addAscii(`${lastChunk}\r\n`);
    else output.addHead({ head: `${lastChunk}${lines}\r\n`, ascii: false });
  }

  #add(bytes: Uint8Array): void {
    this.#addHead();
    const { output } = this.#target;
    this.bodyBytes += bytes.byteLength;
    this.#turnBytes += bytes.byteLength;
    if (this.#response.framing !== "chunked") {
      output.addBytes(bytes);
      return;
    }
    output.addAscii(`${bytes.byteLength.toString(16)}\r\n`);
    output.addBytes(bytes);
    output.addAscii("\r\n");
  }

  async #send(): Promise<void> {
    if (this.#cancelled || this.#target.output.byteLength === 0) return;
    const room = this.#target.flush();
    if (!room && !this.#cancelled) {
      this.#turnBytes = 0;
      this.#room = Promise.withResolvers();
      await this.#room.promise;
    } else if (this.#turnBytes > turnBytes) {
      this.#turnBytes = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #abandon(reader: Reader): Promise<void> {
    // The stream has already failed for us; so may its cancel().
    await reader.cancel().catch(() => {});
  }

  #end(outcome: PumpOutcome): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#target.pumpEnded(this.#cancelled ? { type: "cancelled" } : outcome);
  }
}

function toBytes(chunk: unknown): Uint8Array | null {
  if (chunk instanceof Uint8Array) return chunk;
  // Bun takes text where the standard takes bytes only.
  if (typeof chunk === "string") return Buffer.from(chunk);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  return null;
}

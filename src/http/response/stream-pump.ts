/**
 * Copies a stream to a connection. Invariants: no more than a few chunks are held while the client doesn't read; the
 * head leaves with the first chunk, or alone if that one keeps us waiting; a body that fails or breaks its word ends
 * without a last chunk, so that no client can take it for complete (RFC 9112 §8).
 *
 * What a stream gives within one turn of the event loop leaves in one write, but for the first chunk behind a silence,
 * which nobody is to wait for: an event of a text/event-stream goes out at once.
 */
import { ChunkBlock } from "./chunk-block.ts";
import { type Chunk, type ChunkSource, sourceOf, toBytes } from "./chunk-source.ts";
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

/** How much one stream may send before others get a turn. */
const turnBytes = 1024 * 1024;

/** Pumps with something that leaves when the turn of the event loop ends. */
let leaving: StreamPump[] = [];

function leaveAll(): void {
  const pumps = leaving;
  leaving = [];
  for (const pump of pumps) pump.leave();
}

export class StreamPump {
  /** Bytes of the body so far, framing not counted. */
  bodyBytes = 0;
  readonly #response: StreamResponse;
  readonly #body: ReadableStream<Uint8Array>;
  readonly #target: PumpTarget;
  readonly #block: ChunkBlock;
  #source: ChunkSource | null = null;
  /** A chunk is awaited. */
  #reading = false;
  /** The head is in the block, or further. */
  #begun = false;
  /** The head is in the output, or further. */
  #sent = false;
  /** It is one of those that leave. */
  #leaves = false;
  /** The client must read first, or others get a turn: drained() comes. */
  #blocked = false;
  #ended = false;
  #turnBytes = 0;
  /** For whom waits for room. */
  #room: PromiseWithResolvers<void> | null = null;

  constructor(response: StreamResponse, body: ReadableStream<Uint8Array>, target: PumpTarget) {
    this.#response = response;
    this.#body = body;
    this.#target = target;
    this.#block = new ChunkBlock(target.output, response.framing === "chunked");
  }

  start(): void {
    try {
      this.#source = sourceOf(this.#body, this.#response.generator, this);
    } catch (error) {
      return this.#fail(error);
    }
    void this.#run();
  }

  /** The client has read: there is room again. */
  drained(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#room?.resolve();
    this.#room = null;
    if (!this.#reading) void this.#run();
    else if (!this.#block.empty) this.#write();
  }

  /** The client has left, or the connection gives up: the app's stream is cancelled. */
  cancel(reason: unknown): void {
    if (this.#ended) return;
    this.#release(reason);
    this.#end({ type: "cancelled" });
  }

  /** What is gathered leaves now, and the head in any case. */
  leave(): void {
    this.#leaves = false;
    this.#turnBytes = 0;
    if (this.#ended || this.#blocked || (this.#sent && this.#block.empty)) return;
    this.#begin();
    this.#write();
  }

  // For a source that writes by itself, see chunk-source.ts.

  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves when the client has read; null: it has. */
  get room(): Promise<void> | null {
    if (!this.#blocked) return null;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Adds a chunk, for which no read was made. */
  push(chunk: unknown): void {
    this.#add(chunk);
    if (!this.#ended) this.#gathered();
  }

  /** The body is complete, or fails with `error`, before its source says so. */
  close(error?: unknown): void {
    if (this.#ended) return;
    if (error === undefined) this.#complete();
    else this.#fail(error);
    this.#release(undefined);
  }

  /** Reads until the client must read, the end, or another's turn. It never rejects. */
  async #run(): Promise<void> {
    const source = this.#source as ChunkSource;
    try {
      while (!this.#ended && !this.#blocked) {
        if (this.#turnBytes > turnBytes) return this.#rest();
        const read = source.read();
        if (Bun.peek.status(read) === "fulfilled") this.#take(Bun.peek(read) as Chunk);
        else {
          this.#reading = true;
          this.#gathered();
          const chunk = await read;
          this.#reading = false;
          if (this.#ended) return;
          this.#take(chunk);
        }
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A turn for the others. */
  #rest(): void {
    if (!this.#block.empty && !this.#write()) return;
    this.#turnBytes = 0;
    this.#blocked = true;
    setImmediate(() => this.drained());
  }

  #take(chunk: Chunk): void {
    if (chunk.done === true) this.#complete();
    else this.#add(chunk.value);
  }

  #add(chunk: unknown): void {
    const bytes = typeof chunk === "string" ? chunk : toBytes(chunk);
    if (bytes === null) {
      if (chunk == null && this.#source?.isGenerator === true) return;
      this.#release(undefined);
      return this.#fail(
        new TypeError("A stream of a Response gave a chunk that is neither text nor bytes"),
      );
    }
    // Bun takes text where the standard takes bytes only.
    const size = typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.byteLength;
    const { framing, length } = this.#response;
    if (framing === "length" && this.bodyBytes + size > length) {
      this.#release(undefined);
      return this.#wrongLength(`Content-Length is ${length}, the body has more`);
    }
    if (size === 0) return;
    this.#begin();
    this.bodyBytes += size;
    this.#turnBytes += size;
    const block = this.#block;
    if (!block.copies(size)) {
      const large = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
      block.addLarge(large);
      // Many sources use their memory again, as that of Bun.serve's lets them.
      if (!this.#write()) this.#target.output.keep(large);
      return;
    }
    if (!block.fits(size)) this.#write();
    if (this.#ended) return;
    block.add(bytes, size);
    // Many may wait for clients that don't read: none has a block for that.
    if (this.#blocked) block.lend();
  }

  #complete(): void {
    const { framing, length, trailers } = this.#response;
    if (framing === "length" && this.bodyBytes < length) {
      return this.#wrongLength(`Content-Length is ${length}, the body has ${this.bodyBytes} bytes`);
    }
    this.#begin();
    this.#block.addLastChunk(trailers === null ? "" : trailers.lines);
    this.#write();
    this.#end({ type: "complete" });
  }

  /** Adds the head. */
  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#block.addHead(this.#response);
  }

  /** A wait begins, or may: what is there leaves at the end of the turn, or now if it is the first behind a silence. */
  #gathered(): void {
    if (this.#leaves || (this.#sent && this.#block.empty)) return;
    this.#leaves = true;
    if (leaving.push(this) === 1) setImmediate(leaveAll);
    if (this.#sent && !this.#blocked) this.#write();
  }

  /** Offers all to the socket. False when the client must read first, or the stream is over. */
  #write(): boolean {
    this.#block.lend();
    this.#sent = true;
    const room = this.#target.flush();
    if (!room) {
      this.#turnBytes = 0;
      this.#blocked = true;
    }
    return room && !this.#ended;
  }

  #wrongLength(message: string): void {
    if (this.#headSent) this.#endWith({ type: "wrong length", message });
    else this.#endWith({ type: "failed", error: new Error(message), headSent: false });
  }

  #fail(error: unknown): void {
    this.#endWith({ type: "failed", error, headSent: this.#headSent });
  }

  /** A generator that fails within its first turn has sent nothing, as in Bun. */
  get #headSent(): boolean {
    return this.#sent || (this.#begun && this.#source?.isGenerator !== true);
  }

  /** What came before the failure is the client's. */
  #endWith(outcome: PumpOutcome): void {
    if (this.#ended) return;
    if (this.#headSent) this.#write();
    this.#end(outcome);
  }

  /** The source isn't read any more: the stream has failed for us, so whatever its cancel() does changes nothing. */
  #release(reason: unknown): void {
    this.#source?.cancel(reason).catch(() => {});
  }

  #end(outcome: PumpOutcome): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#block.clear();
    this.#room?.resolve();
    this.#target.pumpEnded(outcome);
  }
}

/** A request's body on its way to a node listener: it flows while the listener takes it. */
import { RequestBody } from "../../../http/request/body.ts";
import { rawFields } from "./raw-fields.ts";

/** The engine's own, or what Bun.serve has. */
export type Body = RequestBody | ReadableStream<Uint8Array>;

/** Who gets it. */
export interface BodySink {
  bodyChunk(bytes: Buffer): void;
  bodyEnded(): void;
  /** The rest won't come: `reason` says why. */
  bodyBroken(reason: unknown): void;
}

interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
}

export class BodyFeed {
  /** Until it is over: it holds its exchange. */
  #body: Body | null;
  #trailers: readonly string[] | undefined = undefined;
  readonly #sink: BodySink;
  #reader: Reader | null = null;
  #flowing = false;
  #reading = false;
  #over = false;

  /** Nothing is read, and a client that waits for 100 Continue waits, before the first resume(). */
  constructor(body: Body, sink: BodySink) {
    this.#body = body;
    this.#sink = sink;
  }

  resume(): void {
    this.#flowing = true;
    if (this.#reading || this.#over) return;
    if (this.#reader === null && this.#giveWhole()) return;
    void this.#read();
  }

  pause(): void {
    this.#flowing = false;
  }

  /** Names and values in turn of what has followed the last chunk; undefined: nothing has, or Bun.serve has read it. */
  get trailers(): readonly string[] | undefined {
    return this.#trailers;
  }

  /** The rest is read also when the answer is out. */
  keep(): void {
    if (!this.#over && this.#body instanceof RequestBody) this.#body.keep();
  }

  /** Nobody wants the rest. */
  stop(): void {
    this.#end();
  }

  #end(): void {
    const trailers = this.#body instanceof RequestBody ? this.#body.trailers : null;
    if (trailers !== null) this.#trailers = rawFields(trailers);
    this.#over = true;
    this.#body = null;
    this.#reader = null;
  }

  /** Gives a body that has come whole, as those of most forms have; false: it hasn't. */
  #giveWhole(): boolean {
    const body = this.#body;
    if (!(body instanceof RequestBody) || !body.ended || body.used) return false;
    const reading = body.read("bytes", "");
    const bytes = Bun.peek(reading);
    this.#reading = true;
    if (bytes instanceof Uint8Array) this.#give(bytes, true);
    else
      reading.then(
        (read) => this.#give(read, true),
        (error: unknown) => this.#break(error),
      );
    return true;
  }

  async #read(): Promise<void> {
    const body = this.#body;
    if (body === null) return;
    this.#reading = true;
    try {
      const reader = (this.#reader ??= (
        body instanceof RequestBody ? body.stream : body
      ).getReader());
      while (this.#flowing && !this.#over) {
        const { done, value } = await reader.read();
        this.#give(value, done);
      }
    } catch (error) {
      this.#break(error);
    } finally {
      this.#reading = false;
    }
  }

  #give(bytes: Uint8Array | undefined, last: boolean): void {
    if (this.#over) return;
    if (bytes !== undefined && bytes.byteLength > 0) {
      const { buffer, byteOffset, byteLength } = bytes;
      const chunk = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
      this.#tell(() => this.#sink.bodyChunk(chunk));
    }
    if (!last) return;
    this.#end();
    this.#tell(() => this.#sink.bodyEnded());
  }

  #break(reason: unknown): void {
    if (this.#over) return;
    this.#end();
    this.#tell(() => this.#sink.bodyBroken(reason));
  }

  /** What a listener's handlers throw is nobody's but the process's, as in node:http; the body goes on. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      process.nextTick(rethrow, error);
    }
  }
}

/** For process.nextTick(): an error that the process is told of. */
export function rethrow(error: unknown): never {
  throw error;
}

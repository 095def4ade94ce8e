/**
 * Copies a file to a connection: inside the kernel where the transport can, and from another thread where it can't, or
 * where the event loop would wait for a disk. Invariants: the pump is the file's one owner, and closes it when it ends,
 * by whatever cause; a client that doesn't read costs no memory here.
 */
import { OpenFile } from "./file.ts";
import type { StreamResponse } from "./head/framing.ts";
import { type PumpOutcome, type PumpTarget, StreamPump } from "./stream-pump.ts";

/** Bytes that the socket has taken (never 0), or why it has taken none. */
export type FileStep =
  | number
  /** The client must read first: drained() is called then. */
  | "full"
  /** The file is shorter than it was. */
  | "ended"
  /** Not by this transport, not this file, or not yet: the bytes are to be read. */
  | "unready";

/** The transport, as the pump sees it. */
export interface FileRoad {
  /** Whether the next `size` bytes of a file can be sent without a wait for a disk. */
  hasReady(file: OpenFile, size: number): boolean;
  /** Sends `size` bytes at most from `at` on, which are ready; to be called when the output is empty. */
  sendFile(fd: number, at: number, size: number): FileStep;
}

/** Sends a body to a connection, as that takes it. */
export type Pump = FilePump | StreamPump;

/** `response` says what its body is; `road` is for files. */
export function pumpFor(response: StreamResponse, target: PumpTarget, road: FileRoad): Pump {
  const { body } = response;
  if (body instanceof OpenFile) return new FilePump(response, body, target, road);
  return new StreamPump(response, body, target);
}

/** How much one file may send before others get a turn. */
const turnBytes = 1024 * 1024;

const readBytes = 256 * 1024;

export class FilePump {
  /** Bytes of the body so far. */
  bodyBytes = 0;
  readonly #response: StreamResponse;
  readonly #file: OpenFile;
  readonly #target: PumpTarget;
  readonly #road: FileRoad;
  /** For what is read: nobody writes to it while the output holds some of it. */
  #buffer: Buffer | null = null;
  /** A read or another turn of the event loop is awaited: drained() has nothing to do. */
  #busy = false;
  #ended = false;
  /** Calls of #send(): the last one goes on. */
  #sends = 0;

  constructor(response: StreamResponse, file: OpenFile, target: PumpTarget, road: FileRoad) {
    this.#response = response;
    this.#file = file;
    this.#target = target;
    this.#road = road;
  }

  start(): void {
    this.#target.output.addHead(this.#response);
    // Before the head is written: while a client wakes up and reads it, all that is sent gets dearer (bench: file-1m).
    this.#send(this.#isReady());
  }

  /** The client has read: there is room again. */
  drained(): void {
    if (!this.#busy) this.#send(false);
  }

  /** The client has left, or the connection gives up. */
  cancel(_reason: unknown): void {
    this.#end({ type: "cancelled" });
  }

  /** `ready`: the next bytes are. */
  #send(ready: boolean): void {
    const file = this.#file;
    const send = (this.#sends += 1);
    let turn = 0;
    while (file.left > 0) {
      // What is older leaves first. That may meet a client that has left, or call drained(): then the file goes on there.
      if (!this.#target.flush() || this.#ended || send !== this.#sends) return;
      if (turn >= turnBytes) return this.#rest();
      if (!(ready && turn === 0) && !this.#isReady()) return this.#read();
      const step = this.#road.sendFile(file.fd, file.position, this.#pieceBytes);
      if (this.#ended || step === "full") return;
      if (step === "unready") return this.#read();
      if (step === "ended") return this.#truncated();
      this.bodyBytes += step;
      file.advance(step);
      turn += step;
    }
    this.#end({ type: "complete" });
  }

  get #pieceBytes(): number {
    return Math.min(this.#file.left, turnBytes);
  }

  #isReady(): boolean {
    return this.#road.hasReady(this.#file, this.#pieceBytes);
  }

  /** A turn for the others. */
  #rest(): void {
    this.#busy = true;
    setImmediate(() => this.#goOn());
  }

  #goOn(): void {
    this.#busy = false;
    if (!this.#ended) this.#send(false);
  }

  #read(): void {
    this.#busy = true;
    this.#buffer ??= Buffer.allocUnsafeSlow(Math.min(this.#file.left, readBytes));
    this.#file.read(this.#buffer, (error, bytes) => {
      if (error !== null) return this.#end({ type: "failed", error, headSent: true });
      if (bytes.byteLength === 0) return this.#truncated();
      this.#target.output.addBytes(bytes);
      this.bodyBytes += bytes.byteLength;
      this.#goOn();
    });
  }

  #truncated(): void {
    const { length } = this.#response;
    const message = `Content-Length is ${length}, the body has ${this.bodyBytes} bytes`;
    this.#end({ type: "wrong length", message });
  }

  #end(outcome: PumpOutcome): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#file.close();
    this.#target.pumpEnded(outcome);
  }
}

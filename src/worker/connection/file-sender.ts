/**
 * Files to sockets by sendfile(2), as a worker does it for all its connections. Invariant: both descriptors are used at
 * once, while their owners have them open, and never kept.
 */
import type { FileStep } from "../../http/response/file-pump.ts";
import type { Wire } from "./wire.ts";

/** System calls, by os/sockets/send-file.ts: what they answer are bytes, or errors as negative numbers. */
export interface FileCalls {
  /** 0: the file has ended. */
  sendFile(socket: number, file: number, at: number, count: number): number;
  /** What is in memory, from `at` on; 0: the file has ended. */
  readCached(file: number, at: number, into: Uint8Array): number;
  /** Whether bytes [at, at + count) can be had without a wait for a disk, as far as the first and the last tell. */
  isCached(file: number, at: number, count: number): boolean;
}

/** How much is offered to a socket that is full, so that it tells when it takes bytes again. */
const offerBytes = 16 * 1024;

export class FileSender {
  /** The last send() has filled the socket, which says when it takes bytes again. */
  full = false;
  readonly #open: () => FileCalls | null;
  #calls: FileCalls | null = null;
  #offer: Buffer | null = null;
  #opened = false;

  /** `open` is called with the first file; null: there are no such calls here. */
  constructor(open: () => FileCalls | null) {
    this.#open = open;
  }

  /** As FileRoad says it. */
  hasReady(file: number, at: number, count: number): boolean {
    return this.#ready()?.isCached(file, at, count) ?? false;
  }

  /** As FileRoad says it; "gone": the socket is closed. */
  send(
    wire: Pick<Wire, "fd" | "write">,
    file: number,
    at: number,
    count: number,
  ): FileStep | "gone" {
    this.full = false;
    const calls = this.#ready();
    const socket = wire.fd;
    if (socket === -1) return "gone";
    // Bun doesn't document `fd`: without it nothing is sent this way.
    if (calls === null || !(socket >= 0)) return "unready";
    const sent = calls.sendFile(socket, file, at, count);
    if (sent > 0) return sent;
    if (sent === 0) return "ended";
    // It is full, or has been reset, or this file system can't: Bun's own write tells, and says when there is room.
    const offer = (this.#offer ??= Buffer.allocUnsafeSlow(offerBytes)).subarray(0, count);
    const got = calls.readCached(file, at, offer);
    if (got === 0) return "ended";
    if (got < 0) return "unready";
    const taken = wire.write(offer.subarray(0, got));
    if (taken < 0) return "gone";
    this.full = taken < got;
    return taken === 0 ? "full" : taken;
  }

  #ready(): FileCalls | null {
    if (this.#opened) return this.#calls;
    this.#opened = true;
    this.#calls = this.#open();
    return this.#calls;
  }
}

/**
 * Files to sockets by sendfile(2), as a worker does it for all its connections. Invariant: both descriptors are used at
 * once, while their owners have them open, and never kept.
 */
import type { FileIdentity, OpenFile } from "../../http/response/file.ts";
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

/**
 * How long what was in memory is taken to be there still: to ask takes 2.6 us of the 75 us of a file of 1 MiB, which is
 * asked for some 30 times meanwhile where it is asked for at all (bench: file-1m).
 */
const readyMs = 20;

export class FileSender {
  /** The last send() has filled the socket, which says when it takes bytes again. */
  full = false;
  readonly #open: () => FileCalls | null;
  readonly #now: () => number;
  /** The last that was ready. */
  #readyFile: FileIdentity | null = null;
  #readyStart = 0;
  #readyEnd = 0;
  #readyUntilMs = 0;
  #calls: FileCalls | null = null;
  #offer: Buffer | null = null;
  #opened = false;

  /** `open` is called with the first file; null: there are no such calls here. `now`: a clock in milliseconds. */
  constructor(open: () => FileCalls | null, now: () => number) {
    this.#open = open;
    this.#now = now;
  }

  /** As FileRoad says it. */
  hasReady({ fd, position, which }: OpenFile, count: number): boolean {
    const calls = this.#ready();
    if (calls === null) return false;
    const end = position + count;
    const now = this.#now();
    const last = this.#readyFile;
    if (last !== null && which.ino === last.ino && which.dev === last.dev) {
      const within = position >= this.#readyStart && end <= this.#readyEnd;
      if (within && now < this.#readyUntilMs) return true;
    }
    if (!calls.isCached(fd, position, count)) return false;
    this.#readyFile = which;
    this.#readyStart = position;
    this.#readyEnd = end;
    this.#readyUntilMs = now + readyMs;
    return true;
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

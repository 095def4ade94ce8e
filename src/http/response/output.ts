/**
 * What is to be written to one connection, gathered so that pipelined answers leave in one write. Invariant: all text
 * in here is ASCII, so its length in characters is its length in bytes.
 *
 * Small texts are joined and encoded once by the socket, but for those of an answer alone (short-answer.ts). Larger pieces
 * go through one buffer that all connections share: a 64 KiB string that is joined to its head and encoded by the
 * socket leaves two more copies of itself to the garbage collector (bench: 64 KiB).
 */

import { giveBlock } from "./blocks.ts";
import { shortAnswer } from "./short-answer.ts";
import { spareBytes, writeUtf8 } from "./utf8.ts";

/** The writing half of a socket: how many bytes it took, below 0 if it is closed. It keeps no reference to `data`. */
export interface ByteSink {
  write(data: string | Uint8Array): number;
}

/** The longest text that is joined to others. */
const largeTextLength = 4096;

/** The largest piece of bytes that is copied; a larger one is written from where it is. */
const largeBytes = 128 * 1024;

const scratchBytes = 256 * 1024;

let scratch: Buffer | null = null;

/** The smallest buffer that is freed by hand: for a smaller one, that costs more than the collector's work. */
const releaseBytes = 16 * 1024;

/** The smallest buffer that is worth the ballast. */
const ballastedBytes = 64 * 1024;

/**
 * What keeps the collector from running all the time in a worker that sends large bodies. JSC counts each of them
 * twice, with its Response and as bytes, though it is one piece of memory that is freed by hand, and it lets a small
 * heap grow by a few megabytes only: it ran for every eighth answer of 1 MiB (100 us of 670 us an answer, bench:
 * tls-1m; 7 us of 30 us, bench: fixed-64k). The ballast counts as live, so that the heap may grow by twice as much;
 * nobody writes to it, and so it takes no memory.
 */
let ballast: ArrayBuffer | null = null;
const ballastBytes = 32 * 1024 * 1024;

/** A text that isn't ASCII. It becomes bytes where they are written from. */
class Utf8Text {
  readonly text: string;
  /** In bytes, as of the other pieces. */
  readonly length: number;

  constructor(text: string, length: number) {
    this.text = text;
    this.length = length;
  }
}

/** ASCII, UTF-8, or bytes. */
type Piece = string | Utf8Text | Uint8Array;

export class OutputBuffer {
  /** The sink is closed: what is left can't be written any more. */
  broken = false;
  #text = "";
  /** Behind #text, and not joined to it yet. */
  #tail = "";
  /** Older than #text. Null: none, as on each idle connection, where an empty array would take 64 bytes. */
  #pieces: Piece[] | null = null;
  #pieceBytes = 0;
  /** Pieces that nobody else holds, in the order of #pieces; null: none. */
  #owned: Uint8Array[] | null = null;
  /** What the oldest piece is of. */
  #block: Buffer | null = null;

  get byteLength(): number {
    return this.#pieceBytes + this.#text.length + this.#tail.length;
  }

  addAscii(text: string): void {
    if (text.length > largeTextLength) this.#add(text);
    else this.#join(text);
  }

  /** `bytes`: how many the text is in UTF-8. */
  addUtf8(text: string, bytes = Buffer.byteLength(text)): void {
    if (bytes === text.length) this.addAscii(text);
    else if (bytes <= largeBytes) this.#add(new Utf8Text(text, bytes));
    else this.#add(Buffer.from(text));
  }

  /** Adds a head, whose characters are its bytes. */
  addHead({ head, ascii }: { readonly head: string; readonly ascii: boolean }): void {
    if (ascii) this.#join(head);
    else this.#add(Buffer.from(head, "latin1"));
  }

  /** Adds bytes that must not change until they are written. */
  addBytes(bytes: Uint8Array): void {
    if (bytes.byteLength > 0) this.#add(bytes);
  }

  /** What is left of `bytes`, which were added last, is copied: whoever has them may change them from now on. */
  keep(bytes: Uint8Array): void {
    if (this.#pieces === null) return;
    for (const copy of copyLeft(bytes, this.#pieces)) this.#own(copy);
  }

  /**
   * Adds bytes whose buffer nobody else can see: its memory is free once they are written, not when the collector
   * comes.
   */
  addOwnedBytes(bytes: Uint8Array): void {
    this.#own(bytes);
    if (bytes.byteLength >= ballastedBytes) ballast ??= new ArrayBuffer(ballastBytes);
    this.addBytes(bytes);
  }

  /**
   * Adds bytes [start, end) of a block of blocks.ts, which is this buffer's from now on: it is given back with the next
   * write, and what the sink doesn't take is copied, so that a slow reader costs no more than what it is owed.
   */
  addBlock(block: Buffer, start: number, end: number): void {
    const bytes = block.subarray(start, end);
    if (this.byteLength > 0 || bytes.byteLength === 0) {
      // It may be long until all of it is written.
      this.addBytes(new Uint8Array(bytes));
      giveBlock(block);
    } else {
      this.#add(bytes);
      this.#block = block;
    }
  }

  /** Writes what the sink takes and keeps the rest. True when nothing is left. */
  writeTo(sink: ByteSink): boolean {
    if (this.#pieces !== null) {
      const empty = this.#writePieces(sink, this.#pieces);
      if (this.#block !== null) this.#giveBlock(this.#block, this.#pieces ?? []);
      return empty;
    }
    if (this.#text === "") return true;
    const { byteLength } = this;
    const written = this.#writeTo(sink, this.#textBytes());
    if (written >= byteLength) {
      this.#text = "";
      this.#tail = "";
      return true;
    }
    this.#text = (this.#text + this.#tail).slice(written);
    this.#tail = "";
    return false;
  }

  clear(): void {
    if (this.#block !== null) giveBlock(this.#block);
    this.#block = null;
    this.#text = "";
    this.#tail = "";
    this.#pieces = null;
    this.#pieceBytes = 0;
    this.#owned?.forEach(release);
    this.#owned = null;
  }

  #own(bytes: Uint8Array): void {
    if (bytes.byteLength >= releaseBytes) (this.#owned ??= []).push(bytes);
  }

  #join(text: string): void {
    if (this.#text === "") this.#text = text;
    else if (this.#tail === "") this.#tail = text;
    else {
      this.#text += this.#tail;
      this.#tail = text;
    }
  }

  #textBytes(): string | Uint8Array {
    if (this.#tail === "") return this.#text;
    return shortAnswer(this.#text, this.#tail) ?? this.#text + this.#tail;
  }

  #giveBlock(block: Buffer, left: Piece[]): void {
    copyLeft(block, left);
    this.#block = null;
    giveBlock(block);
  }

  #add(piece: Piece): void {
    this.#seal();
    (this.#pieces ??= []).push(piece);
    this.#pieceBytes += piece.length;
  }

  #seal(): void {
    if (this.#text === "") return;
    const text = this.#text + this.#tail;
    (this.#pieces ??= []).push(text);
    this.#pieceBytes += text.length;
    this.#text = "";
    this.#tail = "";
  }

  #writePieces(sink: ByteSink, pieces: Piece[]): boolean {
    this.#seal();
    while (pieces.length > 0) {
      const first = pieces[0]!;
      // Bytes alone are written from where they are, too: a copy would join them to nothing.
      const direct =
        first instanceof Uint8Array && (first.length > largeBytes || pieces.length === 1);
      const data = direct ? first : gather(pieces);
      const written = this.#writeTo(sink, data);
      this.#drop(written, pieces);
      if (written < data.length) return false;
    }
    this.#pieces = null;
    this.#owned = null;
    return true;
  }

  #writeTo(sink: ByteSink, data: string | Uint8Array): number {
    const written = sink.write(data);
    if (written >= 0) return written;
    this.broken = true;
    return 0;
  }

  /** Forgets what has been written. */
  #drop(written: number, pieces: Piece[]): void {
    const owned = this.#owned;
    this.#pieceBytes -= written;
    let left = written;
    let whole = 0;
    while (left > 0 && left >= pieces[whole]!.length) {
      const piece = pieces[whole]!;
      left -= piece.length;
      whole += 1;
      if (owned !== null && piece === owned[0]) release(owned.shift()!);
    }
    if (whole > 0) pieces.splice(0, whole);
    if (left === 0) return;
    const first = pieces[0]!;
    if (typeof first === "string") {
      pieces[0] = first.slice(left);
    } else if (first instanceof Utf8Text) {
      // All of it stands in what was gathered: nothing else is taken in part.
      pieces[0] = Uint8Array.prototype.slice.call(scratch, written, written - left + first.length);
    } else {
      const rest = first.subarray(left);
      if (owned !== null && first === owned[0]) owned[0] = rest;
      pieces[0] = rest;
    }
  }
}

/** Puts copies in the place of those of `pieces` that are in the memory of `bytes`, and returns them. */
function copyLeft({ buffer }: Uint8Array, pieces: Piece[]): Uint8Array[] {
  const copies: Uint8Array[] = [];
  for (let at = 0; at < pieces.length; at += 1) {
    const piece = pieces[at]!;
    if (!(piece instanceof Uint8Array) || piece.buffer !== buffer) continue;
    const copy = new Uint8Array(piece);
    pieces[at] = copy;
    copies.push(copy);
  }
  return copies;
}

/**
 * Frees a buffer. A 64 KiB answer of bytes takes 4.4 us to prepare and gather, and 4.9 us where copies wait for the
 * collector.
 */
function release({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** The bytes of the next write, from the start of `pieces`; valid until the next call. */
function gather(pieces: readonly Piece[]): Uint8Array {
  scratch ??= Buffer.allocUnsafeSlow(scratchBytes + spareBytes);
  let filled = 0;
  for (const piece of pieces) {
    const room = scratchBytes - filled;
    if (typeof piece === "string") {
      filled += scratch.write(piece.length > room ? piece.slice(0, room) : piece, filled, "latin1");
      if (piece.length >= room) break;
    } else if (piece instanceof Utf8Text) {
      if (piece.length > room) break;
      filled += writeUtf8(piece.text, piece.length, scratch, filled);
    } else {
      if (piece.length > largeBytes || piece.length > room) break;
      scratch.set(piece, filled);
      filled += piece.length;
    }
  }
  return scratch.subarray(0, filled);
}

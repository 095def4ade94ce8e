/**
 * What a stream has given and leaves in one write: the head, and chunks with their framing (RFC 9112 §7.1). Invariant: a
 * stream that waits has no block of memory.
 */
import { blockBytes, giveBlock, takeBlock } from "./blocks.ts";
import type { OutputBuffer } from "./output.ts";

/** A larger chunk is written from where it is. */
const copiedBytes = 32 * 1024;

/** A larger head isn't gathered. */
const gatheredHead = 4096;

/** The digits of a size and two CRLF, and the same of a last chunk. */
const framingBytes = 32;

const carriageReturn = 13;
const lineFeed = 10;
const digits = Buffer.from("0123456789abcdef");

export class ChunkBlock {
  readonly #output: OutputBuffer;
  readonly #chunked: boolean;
  #block: Buffer | null = null;
  #filled = 0;

  /** Without `chunked`, bytes come as they are. */
  constructor(output: OutputBuffer, chunked: boolean) {
    this.#output = output;
    this.#chunked = chunked;
  }

  get empty(): boolean {
    return this.#filled === 0;
  }

  /** Whether a chunk of `size` bytes has room behind what is here. */
  fits(size: number): boolean {
    return this.#filled + size + framingBytes <= blockBytes;
  }

  /** Whether chunks of `size` bytes are copied. */
  copies(size: number): boolean {
    return size <= copiedBytes;
  }

  addHead(response: { readonly head: string; readonly ascii: boolean }): void {
    const { head } = response;
    if (head.length > gatheredHead || !this.fits(head.length)) {
      this.lend();
      this.#output.addHead(response);
    } else this.#filled += this.#memory().write(head, this.#filled, "latin1");
  }

  /** Copies a chunk of `size` bytes, which fits. */
  add(chunk: Uint8Array | string, size: number): void {
    const block = this.#memory();
    if (this.#chunked) this.#addSize(block, size);
    if (typeof chunk === "string") block.write(chunk, this.#filled, "utf8");
    else block.set(chunk, this.#filled);
    this.#filled += size;
    if (this.#chunked) this.#endLine(block);
  }

  /** A chunk that isn't copied: it must not change until it is written. */
  addLarge(chunk: Uint8Array): void {
    if (this.#chunked) this.#addSize(this.#memory(), chunk.byteLength);
    this.lend();
    this.#output.addBytes(chunk);
    if (this.#chunked) this.#output.addAscii("\r\n");
  }

  /** `trailers`: lines in Latin-1, each with its CRLF (RFC 9112 §7.1.2). */
  addLastChunk(trailers: string): void {
    if (!this.#chunked) return;
    const block = this.#memory();
    block[this.#filled++] = digits[0] as number;
    this.#endLine(block);
    if (trailers === "") return this.#endLine(block);
    this.lend();
    this.#output.addHead({ head: `${trailers}\r\n`, ascii: false });
  }

  /** Hands all to the output, which is to be written next. */
  lend(): void {
    const block = this.#block;
    if (block === null) return;
    this.#output.addBlock(block, 0, this.#filled);
    this.#block = null;
    this.#filled = 0;
  }

  /** Drops what isn't lent. */
  clear(): void {
    if (this.#block !== null) giveBlock(this.#block);
    this.#block = null;
    this.#filled = 0;
  }

  #memory(): Buffer {
    return (this.#block ??= takeBlock());
  }

  #addSize(block: Buffer, size: number): void {
    let shift = 28;
    while (shift > 0 && size >>> shift === 0) shift -= 4;
    for (; shift >= 0; shift -= 4) block[this.#filled++] = digits[(size >>> shift) & 15] as number;
    this.#endLine(block);
  }

  #endLine(block: Buffer): void {
    block[this.#filled++] = carriageReturn;
    block[this.#filled++] = lineFeed;
  }
}

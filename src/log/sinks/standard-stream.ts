import { fstatSync } from "node:fs";
import { writeFully } from "../../os/write-fully.ts";
import { pipeBytes, writeInTime } from "../../os/write-in-time.ts";
import type { LineSink } from "./line-sink.ts";

/**
 * Standard output or error, which master and workers share. What it doesn't take is lost, counted, and told when it
 * takes lines again: a reader that stands still must not keep the master from a signal, nor a worker from its clients.
 */
export class StandardStream implements LineSink {
  readonly #fd: 1 | 2;
  /** How a loss is told: with a line for the stream, or elsewhere, and then the answer is empty. */
  readonly #tellLoss: (bytes: number, name: string) => string;
  /** A file takes any length in one piece. */
  readonly #isFile: boolean;
  #lostBytes = 0;
  /** The beginning of a line stands there without its end. */
  #torn = false;

  constructor(fd: 1 | 2, tellLoss: (bytes: number, name: string) => string) {
    this.#fd = fd;
    this.#tellLoss = tellLoss;
    this.#isFile = isFile(fd);
  }

  write(text: string): void {
    // Three bytes at most for each UTF-16 unit.
    if (this.#isFile || text.length * 3 <= pipeBytes) this.#write(text);
    else for (const piece of linePieces(text, pipeBytes)) this.#write(piece);
  }

  flush(): void {}

  reopen(): void {}

  /** Tells of a loss: this is the last chance. */
  close(): void {
    if (this.#lostBytes === 0) return;
    const line = this.#notice();
    if (line !== "") this.#put((this.#torn ? "\n" : "") + line, 1);
  }

  #write(text: string): void {
    if (this.#lostBytes > 0) this.#writeAgain(text);
    else this.#count(text, this.#put(text));
  }

  /** What didn't take the last line isn't waited for: each would cost a second. */
  #writeAgain(text: string): void {
    const end = this.#torn ? "\n" : "";
    const left = this.#put(end + text, 1);
    if (left > 0) return this.#count(text, left);
    this.#torn = false;
    const line = this.#notice();
    if (line !== "") this.#count(line, this.#put(line));
  }

  /** Answers how many bytes nobody has taken. Many processes write to a file: each write is one piece. */
  #put(text: string, tries?: number): number {
    return this.#isFile ? writeFully(this.#fd, text) : writeInTime(this.#fd, text, tries);
  }

  #notice(): string {
    const lost = this.#lostBytes;
    this.#lostBytes = 0;
    return this.#tellLoss(lost, this.#fd === 1 ? "standard output" : "standard error");
  }

  #count(text: string, left: number): void {
    if (left === 0) return;
    const length = Buffer.byteLength(text);
    // A line feed before the text isn't the text's.
    this.#lostBytes += Math.min(left, length);
    if (left < length) this.#torn = true;
  }
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch (error) {
    // Started with the stream closed.
    if ((error as NodeJS.ErrnoException).code === "EBADF") return false;
    throw error;
  }
}

/** Pieces of whole lines, each of at most so many bytes; a longer line is a piece of its own. */
export function* linePieces(text: string, bytes: number): Generator<string> {
  let from = 0;
  let size = 0;
  for (let at = 0; at < text.length;) {
    const found = text.indexOf("\n", at);
    const end = found === -1 ? text.length : found + 1;
    const length = Buffer.byteLength(text.slice(at, end));
    if (size > 0 && size + length > bytes) {
      yield text.slice(from, at);
      from = at;
      size = 0;
    }
    size += length;
    at = end;
  }
  if (from < text.length) yield text.slice(from);
}

import { fstatSync } from "node:fs";
import { writeFully } from "../os/write-fully.ts";
import type { LineSink } from "./line-sink.ts";

/** PIPE_BUF: a pipe takes so many bytes of one write in one piece, whoever else writes to it (pipe(7)). */
const pieceBytes = 4096;

/** Standard output or error, which master and workers share. */
export class StandardStream implements LineSink {
  readonly #fd: 1 | 2;
  /** A file takes any length in one piece. */
  readonly #isFile: boolean;

  constructor(fd: 1 | 2) {
    this.#fd = fd;
    this.#isFile = isFile(fd);
  }

  write(text: string): void {
    // Three bytes at most for each UTF-16 unit.
    if (this.#isFile || text.length * 3 <= pieceBytes) writeFully(this.#fd, text);
    else for (const piece of linePieces(text, pieceBytes)) writeFully(this.#fd, piece);
  }

  flush(): void {}

  reopen(): void {}

  close(): void {}
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

// What is to be written to one connection, gathered so that pipelined answers leave in one write.
// Invariant: #text is ASCII, so its length in characters is its length in bytes. Strings are joined and encoded once by the
// socket: 34 ns per answer against 74 ns for a copy of each into a Buffer (measured, 16 answers of 200 bytes).

/** The writing half of a socket, as Bun's: how many bytes it took. */
export interface ByteSink {
  write(data: string | Uint8Array): number;
}

/** Pieces up to this size are copied together; larger ones are written as they are. */
const MERGE_BYTES = 128 * 1024;

export class OutputBuffer {
  #text = "";
  /** Older than #text. */
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;

  get byteLength(): number {
    return this.#pieceBytes + this.#text.length;
  }

  addAscii(text: string): void {
    this.#text += text;
  }

  /** The characters of a head are its bytes. */
  addHead({ head, ascii }: { readonly head: string; readonly ascii: boolean }): void {
    if (ascii) this.#text += head;
    else this.addBytes(Buffer.from(head, "latin1"));
  }

  addUtf8(text: string): void {
    if (Buffer.byteLength(text) === text.length) this.#text += text;
    else this.addBytes(Buffer.from(text));
  }

  /** `bytes` must not change until they are written. */
  addBytes(bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return;
    this.#seal();
    this.#pieces.push(bytes);
    this.#pieceBytes += bytes.byteLength;
  }

  /** Writes what the sink takes and keeps the rest. True when nothing is left. */
  writeTo(sink: ByteSink): boolean {
    if (this.#pieces.length === 0) {
      const text = this.#text;
      if (text === "") return true;
      const written = Math.max(0, sink.write(text));
      this.#text = written >= text.length ? "" : text.slice(written);
      return this.#text === "";
    }
    this.#seal();
    const pieces = mergeSmall(this.#pieces);
    for (let index = 0; index < pieces.length; index++) {
      const piece = pieces[index]!;
      const written = Math.max(0, sink.write(piece));
      this.#pieceBytes -= written;
      if (written < piece.byteLength) {
        pieces[index] = piece.subarray(written);
        this.#pieces = pieces.slice(index);
        return false;
      }
    }
    this.#pieces = [];
    return true;
  }

  clear(): void {
    this.#text = "";
    this.#pieces = [];
    this.#pieceBytes = 0;
  }

  #seal(): void {
    if (this.#text === "") return;
    const bytes = Buffer.from(this.#text, "latin1");
    this.#text = "";
    this.#pieces.push(bytes);
    this.#pieceBytes += bytes.byteLength;
  }
}

/** Runs of small pieces become one, for one system call. */
function mergeSmall(pieces: Uint8Array[]): Uint8Array[] {
  if (pieces.length === 1) return pieces;
  const merged: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  let runBytes = 0;
  for (const piece of pieces) {
    if (runBytes + piece.byteLength > MERGE_BYTES) {
      if (run.length > 0) merged.push(run.length === 1 ? run[0]! : Buffer.concat(run));
      run = [];
      runBytes = 0;
    }
    run.push(piece);
    runBytes += piece.byteLength;
  }
  merged.push(run.length === 1 ? run[0]! : Buffer.concat(run));
  return merged;
}

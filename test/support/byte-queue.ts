/** Bytes in order of arrival, taken from the front; large amounts aren't copied more than once or twice. */
export class ByteQueue {
  #chunks: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes);
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** All of it, without taking it. */
  peek(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] as Buffer;
  }

  /** Where the first CRLF stands; -1 for nowhere. */
  get lineEnd(): number {
    for (;;) {
      const first = this.#chunks[0];
      if (first === undefined) return -1;
      const at = first.indexOf("\r\n");
      const second = this.#chunks[1];
      if (at !== -1 || second === undefined) return at;
      this.#chunks.splice(0, 2, Buffer.concat([first, second]));
    }
  }

  /** Up to `size` bytes from the front. */
  take(size: number): Buffer {
    const taken: Buffer[] = [];
    let missing = Math.min(size, this.#length);
    this.#length -= missing;
    while (missing > 0) {
      const first = this.#chunks[0] as Buffer;
      if (first.length <= missing) {
        taken.push(first);
        this.#chunks.shift();
        missing -= first.length;
      } else {
        taken.push(first.subarray(0, missing));
        this.#chunks[0] = first.subarray(missing);
        missing = 0;
      }
    }
    return taken.length === 1 ? (taken[0] as Buffer) : Buffer.concat(taken);
  }
}

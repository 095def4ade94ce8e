/**
 * Spans that go to the collector in one request, as the bytes of its body: thousands of texts that wait, each of fifty
 * pieces, would cost every collection of garbage (bench: traces).
 */
const firstBytes = 4096;

/** The most that a character of a JavaScript text is in UTF-8. */
const bytesPerCharacter = 3;

export class SpanBatch {
  readonly #closing: string;
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #end = 0;
  #count = 0;

  /** @param opening what stands before the spans, which commas separate; @param closing what stands behind them */
  constructor(opening: string, closing: string) {
    this.#closing = closing;
    this.#write(opening);
  }

  get count(): number {
    return this.#count;
  }

  add(span: string): void {
    if (this.#count > 0) this.#write(",");
    this.#write(span);
    this.#count += 1;
  }

  /** Asked for once: nothing can be added then. */
  takeBody(): Uint8Array<ArrayBuffer> {
    this.#write(this.#closing);
    return this.#bytes.subarray(0, this.#end);
  }

  #write(text: string): void {
    const needed = this.#end + bytesPerCharacter * text.length;
    if (needed > this.#bytes.byteLength) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.byteLength));
      this.#bytes.copy(larger, 0, 0, this.#end);
      this.#bytes = larger;
    }
    this.#end += this.#bytes.utf8Write(text, this.#end);
  }
}

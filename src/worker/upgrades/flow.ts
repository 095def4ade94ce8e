/** Bytes from one socket to another. Invariant: nothing is read while the other hasn't taken what came before. */
import type { Wire } from "../connection/wire.ts";

export class Flow {
  readonly #from: Wire;
  readonly #to: Wire;
  /** What the other socket hasn't taken. */
  #rest: Buffer | null = null;
  #ended = false;

  constructor(from: Wire, to: Wire) {
    this.#from = from;
    this.#to = to;
  }

  /** Something is left that the other socket hasn't taken. */
  get pending(): boolean {
    return this.#rest !== null;
  }

  /** Nothing more comes, and the other socket has been told. */
  get over(): boolean {
    return this.#ended && this.#rest === null;
  }

  /** False: the other socket is closed. */
  pass(bytes: Buffer): boolean {
    if (this.#rest !== null) {
      this.#rest = Buffer.concat([this.#rest, bytes]);
      return true;
    }
    const taken = this.#to.write(bytes);
    if (taken < 0) return false;
    if (taken === bytes.length) return true;
    this.#rest = bytes.subarray(taken);
    this.#from.pause();
    return true;
  }

  /** The other socket takes bytes again. False: it is closed. */
  drained(): boolean {
    if (this.#rest === null) return true;
    const taken = this.#to.write(this.#rest);
    if (taken < 0) {
      this.#rest = null;
      return false;
    }
    if (taken < this.#rest.length) {
      this.#rest = this.#rest.subarray(taken);
      return true;
    }
    this.#rest = null;
    if (this.#ended) this.#to.shutdown();
    else this.#from.resume();
    return true;
  }

  /** Nothing more comes: FIN follows what has. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#rest === null) this.#to.shutdown();
  }
}

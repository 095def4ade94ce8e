/**
 * The frames of the control socket, Gunicorn's: four bytes with the length of what follows, big-endian, then JSON in UTF-8.
 * A reader holds no more than one frame of the longest size, whatever comes.
 */

const headBytes = 4;

/** The longest frame of a client: a command and its words. */
export const longestRequestBytes = 64 * 1024;
/** The longest frame of a server, as Gunicorn's. */
export const longestAnswerBytes = 16 * 1024 * 1024;

export function encodeFrame(message: unknown): Uint8Array {
  const text = Buffer.from(JSON.stringify(message));
  const frame = Buffer.allocUnsafe(headBytes + text.byteLength);
  frame.writeUInt32BE(text.byteLength, 0);
  text.copy(frame, headBytes);
  return frame;
}

/** What stands at the front of what has come. */
export type Frame =
  | { readonly type: "need more" }
  | { readonly type: "message"; readonly message: unknown }
  /** No frame follows: where the next one would begin isn't known, or isn't worth knowing. */
  | { readonly type: "broken"; readonly why: string };

export class FrameReader {
  readonly #longest: number;
  #held: Buffer = Buffer.alloc(0);

  /** @param longest how many bytes of JSON a frame may have */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** Whether part of a frame has come. */
  get partial(): boolean {
    return this.#held.byteLength > 0;
  }

  /** Answers false when more has come than it holds: nobody sends so far ahead who reads the answers. */
  push(bytes: Uint8Array): boolean {
    this.#held =
      this.#held.byteLength === 0 ? Buffer.from(bytes) : Buffer.concat([this.#held, bytes]);
    return this.#held.byteLength <= this.#longest + headBytes || this.#lengthOf() > this.#longest;
  }

  /** Takes the frame at the front. */
  next(): Frame {
    if (this.#held.byteLength < headBytes) return { type: "need more" };
    const length = this.#lengthOf();
    if (length > this.#longest)
      return { type: "broken", why: `a frame has at most ${this.#longest} bytes, got ${length}` };
    if (this.#held.byteLength < headBytes + length) return { type: "need more" };
    const text = this.#held.subarray(headBytes, headBytes + length).toString("utf8");
    this.#held = this.#held.subarray(headBytes + length);
    try {
      return { type: "message", message: JSON.parse(text) as unknown };
    } catch {
      // A SyntaxError: there is no other.
      return { type: "broken", why: "a frame holds JSON" };
    }
  }

  #lengthOf(): number {
    return this.#held.readUInt32BE(0);
  }
}

/** The bytes that a connection has received and can't parse yet, and whether its socket is read at all. */
import { highWaterBytes } from "../../http/limits.ts";
import type { Wire } from "./wire.ts";

const noBytes = Buffer.alloc(0);

export class HeldBytes {
  /** Nobody wants what comes: the app doesn't read the body that is arriving. */
  unwanted = false;
  readonly #wire: Wire;
  #held: Buffer = noBytes;
  #paused = false;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Nothing is read, so that not even a FIN is seen. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Nothing is held, and what comes is read. */
  get resting(): boolean {
    return this.empty && !this.unwanted && !this.#paused;
  }

  get empty(): boolean {
    return this.#held.length === 0;
  }

  /** Keeps bytes for later, behind those that are held already. */
  hold(bytes: Buffer): void {
    this.#held = this.empty ? bytes : Buffer.concat([this.#held, bytes]);
  }

  /** Gives back all that was held. */
  take(): Buffer {
    const held = this.#held;
    this.#held = noBytes;
    return held;
  }

  /** Stops or resumes reading. `blocked`: the client doesn't take its answers. */
  steer(blocked: boolean): void {
    const pause = blocked || this.unwanted || this.#held.length > highWaterBytes;
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#wire.pause();
    else this.#wire.resume();
  }
}

/** The bytes that a connection has to write, and whether its socket takes any. */
import { OutputBuffer } from "../../http/response/output.ts";
import type { Wire } from "./wire.ts";

export class Outlet {
  readonly output = new OutputBuffer();
  readonly #wire: Wire;
  /** The socket has taken less than all. */
  #full = false;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Writes what the socket takes; true when nothing is left. */
  write(): boolean {
    // Until the socket takes bytes again, a write would cost its time for nothing.
    const empty = !this.#full && this.output.writeTo(this.#wire);
    this.#full = !empty;
    return empty;
  }

  /** The socket takes bytes again. */
  drained(): void {
    this.#full = false;
  }
}

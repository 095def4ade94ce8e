/**
 * Datagrams by libc: Bun has none on unix sockets, and only a call that ends at once still sends at the
 * end of a process. The socket isn't connected: a receiver that was started anew is found again, and a
 * closed UDP port is no error.
 */
import type { SystemError } from "../libc.ts";
import { domainOf } from "./socket-address.ts";
import { closeFd, createDatagramSocket, sendNow } from "./socket-options.ts";

export class DatagramSocket implements Disposable {
  readonly #fd: number;
  readonly #to: Uint8Array;

  /** @param to an encoded address. Throws SystemError when no socket can be opened. */
  constructor(to: Uint8Array) {
    this.#to = to;
    this.#fd = createDatagramSocket(domainOf(to));
  }

  /** Sends one datagram, whole or not at all, and never waits. Answers null when it has left, or why it can't. */
  send(bytes: Uint8Array): SystemError | null {
    const sent = sendNow(this.#fd, bytes, this.#to);
    return typeof sent === "number" ? null : sent;
  }

  [Symbol.dispose](): void {
    closeFd(this.#fd);
  }
}

/** The end of a connection whose owner closes it: what is still to be said arrives, whatever the client goes on to send. */
import { ptr } from "bun:ffi";
import { lastError, library, SystemError } from "../libc.ts";
import { MSG_DONTWAIT } from "./receive.ts";
import { closeFd, duplicateFd, sendNow } from "./socket-options.ts";

const SHUT_WR = 1;
/** How often a step reads: a client that sends without end isn't listened to for longer. */
const readsPerStep = 16;

const dropped = new Uint8Array(64 * 1024);

export class LastWords {
  readonly #fd: number;

  /** On an open socket; null where there is no descriptor left. */
  static on(fd: number): LastWords | null {
    try {
      return new LastWords(duplicateFd(fd));
    } catch (error) {
      if (error instanceof SystemError) return null;
      throw error;
    }
  }

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** How many bytes the kernel has taken; below 0 if the client has left. */
  write(data: string | Uint8Array): number {
    const sent = sendNow(this.#fd, typeof data === "string" ? Buffer.from(data) : data, null);
    return typeof sent === "number" ? sent : -1;
  }

  /** Sends FIN. */
  end(): void {
    // A client that has left gets none.
    library().shutdown(this.#fd, SHUT_WR);
  }

  /** Reads and drops what has come. True: the client has closed, or left. */
  heard(): boolean {
    const { recv } = library();
    for (let reads = 0; reads < readsPerStep; reads++) {
      const count = Number(recv(this.#fd, ptr(dropped), dropped.byteLength, MSG_DONTWAIT));
      if (count === 0) return true;
      if (count < 0) return !["EAGAIN", "EWOULDBLOCK", "EINTR"].includes(lastError("recv").code);
    }
    return false;
  }

  close(): void {
    closeFd(this.#fd);
  }
}

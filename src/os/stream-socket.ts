/** A connection that is only written to, by libc: no call waits, and what is written at the end of a process still leaves. */
import { ptr } from "bun:ffi";
import { check, library, SystemError } from "./libc.ts";
import { domainOf } from "./socket-address.ts";
import {
  AF_UNIX,
  closeFd,
  closeOnFailure,
  createStreamSocket,
  IPPROTO_TCP,
  onLinux,
  pollNow,
  sendNow,
  setOption,
  TCP_NODELAY,
} from "./socket-options.ts";

const LINUX_TCP_USER_TIMEOUT = 18;
/** A peer that has vanished without a word is noticed by then; the kernel's own patience is a quarter of an hour. */
const peerTimeoutMs = 30_000;

const POLLERR = 0x08;
const POLLHUP = 0x10;
const LINUX_POLLRDHUP = 0x2000;
const ends = POLLERR | POLLHUP | (onLinux ? LINUX_POLLRDHUP : 0);

export class StreamSocket implements Disposable {
  readonly #fd: number;

  /** Begins to connect to an encoded address, and doesn't wait for the answer. Throws SystemError. */
  constructor(to: Uint8Array) {
    this.#fd = createStreamSocket(domainOf(to));
    closeOnFailure(this.#fd, () => {
      if (domainOf(to) !== AF_UNIX) {
        setOption(this.#fd, IPPROTO_TCP, TCP_NODELAY, 1);
        if (onLinux) setOption(this.#fd, IPPROTO_TCP, LINUX_TCP_USER_TIMEOUT, peerTimeoutMs);
      }
      try {
        check(library().connect(this.#fd, ptr(to), to.byteLength), "connect");
      } catch (error) {
        if (!(error instanceof SystemError) || error.code !== "EINPROGRESS") throw error;
      }
    });
  }

  /** Whether the other side has closed, or refused. A peer that only reads never says anything else. */
  get over(): boolean {
    return (pollNow(this.#fd, ends) & ends) !== 0;
  }

  /** Answers with the number of bytes that the kernel has taken, which may be 0, or with what has ended the connection. */
  send(bytes: Uint8Array): number | SystemError {
    const sent = sendNow(this.#fd, bytes, null);
    if (typeof sent === "number") return sent;
    // ENOTCONN: macOS, while it connects.
    const notNow = ["EAGAIN", "EWOULDBLOCK", "ENOTCONN", "ENOBUFS", "EINTR"];
    return notNow.includes(sent.code) ? 0 : sent;
  }

  [Symbol.dispose](): void {
    closeFd(this.#fd);
  }
}

/**
 * A connection that is only written to, by libc: no call waits, and what is written at the end of a process still
 * leaves.
 */
import { ptr } from "bun:ffi";
import { check, library, SystemError } from "../libc.ts";
import { pollNow } from "../poll.ts";
import { domainOf } from "./socket-address.ts";
import {
  AF_UNIX,
  closeFd,
  closeOnFailure,
  createStreamSocket,
  IPPROTO_TCP,
  onDarwin,
  onLinux,
  sendNow,
  system,
  TCP_NODELAY,
  tryOption,
} from "./socket-options.ts";

/**
 * A peer that has vanished without a word is found out after 60 s of silence. TCP_USER_TIMEOUT would be quicker while
 * something is under way, but Linux cuts a live peer too then, whose window has been closed for so long
 * (tcp_probe_timer).
 */
const LINUX_TCP_KEEPIDLE = 4;
const LINUX_TCP_KEEPINTVL = 5;
const LINUX_TCP_KEEPCNT = 6;
const SO_KEEPALIVE = onDarwin ? 0x0008 : 9;

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
        tryOption(this.#fd, IPPROTO_TCP, TCP_NODELAY, 1);
        tryOption(this.#fd, system.socketLevel, SO_KEEPALIVE, 1);
        if (onLinux) {
          tryOption(this.#fd, IPPROTO_TCP, LINUX_TCP_KEEPIDLE, 30);
          tryOption(this.#fd, IPPROTO_TCP, LINUX_TCP_KEEPINTVL, 10);
          tryOption(this.#fd, IPPROTO_TCP, LINUX_TCP_KEEPCNT, 3);
        }
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

  /**
   * Answers with the number of bytes that the kernel has taken, which may be 0, or with what has ended the connection.
   */
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

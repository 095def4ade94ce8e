/** What the kernel knows of connections that wait to be accepted. */
import { ptr } from "bun:ffi";
import { library } from "../../libc.ts";
import { pollNow } from "../../poll.ts";
import { IPPROTO_TCP } from "../socket-options.ts";

const POLLIN = 1;
const LINUX_TCP_INFO = 11;

/** Whether a connection waits to be accepted. */
export function hasWaiting(fd: number): boolean {
  return (pollNow(fd, POLLIN) & POLLIN) !== 0;
}

/**
 * How many connections wait to be accepted from a listening TCP socket; null where the system doesn't say. Linux only.
 */
export function acceptQueueLength(fd: number): number | null {
  // struct tcp_info: eight bytes, then words; tcpi_unacked of a socket that listens is the length of its queue.
  const info = new Uint32Array(8);
  const length = new Uint32Array([info.byteLength]);
  const { getsockopt } = library();
  const result = getsockopt(fd, IPPROTO_TCP, LINUX_TCP_INFO, ptr(info), ptr(length));
  return result < 0 ? null : (info[6] ?? 0);
}

/**
 * Refuses new connections at a listening socket, and no packet of those that have begun: the least TTL that a
 * packet must have (IP_MINTTL and IPV6_MINHOPCOUNT, made for RFC 5082) is set to what hardly any sender uses.
 *
 * Linux compares it where a SYN reaches a listening socket, and after the last ACK of a handshake has found its
 * request (tcp_v4_rcv, tcp_v6_rcv). An SO_ATTACH_FILTER that looks for SYN does the same, but needs CAP_NET_ADMIN
 * on newer kernels.
 */
import { constants } from "node:os";
import { ptr } from "bun:ffi";
import { lastError, library, SystemError } from "../../libc.ts";
import { IPPROTO_IPV6, onLinux } from "../socket-options.ts";

const IPPROTO_IP = 0;
const LINUX_IP_MINTTL = 21;
const LINUX_IPV6_MINHOPCOUNT = 73;
/**
 * Only a neighbour that begins with the largest one gets through: Linux, BSD, macOS and Windows begin with 64 or 128.
 */
const largest = new Int32Array([255]);
const none = new Int32Array([0]);

/**
 * Drops the SYNs that arrive at a listening TCP socket which is about to close, so that clients try again instead of
 * being accepted and reset. Holds for every process that shares the socket. What has been accepted since needs
 * acceptPackets(). Answers why the system refuses; null when it is done.
 */
export function refuseNewConnections(fd: number, family: 4 | 6): SystemError | null {
  if (!onLinux) return new SystemError(constants.errno.ENOTSUP, "setsockopt");
  return setLimit(fd, family, largest);
}

/** Undoes for an accepted socket what it has inherited from a socket that refuses new connections. */
export function acceptPackets(fd: number, family: 4 | 6): void {
  if (onLinux) setLimit(fd, family, none);
}

/** A v6 socket may have v4 clients, to whom the limit of v4 applies. */
function setLimit(fd: number, family: 4 | 6, limit: Int32Array): SystemError | null {
  const { setsockopt } = library();
  const value = ptr(limit);
  if (setsockopt(fd, IPPROTO_IP, LINUX_IP_MINTTL, value, 4) < 0) return lastError("setsockopt");
  if (family === 6 && setsockopt(fd, IPPROTO_IPV6, LINUX_IPV6_MINHOPCOUNT, value, 4) < 0)
    return lastError("setsockopt");
  return null;
}

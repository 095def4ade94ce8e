/**
 * Connections are accepted when their first bytes have come, as Bun.serve has it: a worker wakes once for both (bench:
 * new-connections). Until then they aren't in the accept queue.
 */
import { IPPROTO_TCP, onLinux, tryOption } from "../socket-options.ts";
import { findHandshakes, tellsHandshakes } from "./sock-diag.ts";

const LINUX_TCP_DEFER_ACCEPT = 9;

/** In seconds, of which the kernel makes a number of SYN-ACKs: who is silent is let in behind the second one. */
const shortest = 1;

/** For a listening TCP socket whose clients speak first. A help only: nothing is said of what the system refuses. */
export function deferAccept(fd: number, deferred: boolean): void {
  if (onLinux) tryOption(fd, IPPROTO_TCP, LINUX_TCP_DEFER_ACCEPT, deferred ? shortest : 0);
}

/** Whether the system tells of handshakes: without that, who is silent would be lost with a socket that closes. */
export function canSeeHandshakes(): boolean {
  return onLinux && tellsHandshakes();
}

/**
 * Whether handshakes are under way at one of the ports: clients that have connected, and have sent nothing, may be among
 * them. True if the system doesn't tell, so that a caller waits.
 */
export function hasHandshakes(ports: ReadonlySet<number>): boolean {
  return onLinux && ports.size > 0 && findHandshakes(ports) !== false;
}

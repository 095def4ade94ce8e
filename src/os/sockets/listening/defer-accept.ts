/**
 * Connections are accepted when their first bytes have come, as Bun.serve has it: a worker wakes once for both (bench:
 * new-connections). Until then they aren't in the accept queue.
 */
import { existsSync } from "node:fs";
import { IPPROTO_TCP, onLinux, tryOption } from "../socket-options.ts";
import { linesWith, tcpRow } from "./port-holder.ts";

const LINUX_TCP_DEFER_ACCEPT = 9;

/** In seconds, of which the kernel makes a number of SYN-ACKs: who is silent is let in behind the second one. */
const shortest = 1;

/** Of a handshake that the last ACK ends, or the first bytes, in /proc/net/tcp. */
const synReceived = "03";

/** For a listening TCP socket whose clients speak first. A help only: nothing is said of what the system refuses. */
export function deferAccept(fd: number, deferred: boolean): void {
  if (onLinux) tryOption(fd, IPPROTO_TCP, LINUX_TCP_DEFER_ACCEPT, deferred ? shortest : 0);
}

/**
 * Whether handshakes are under way at one of the ports: clients that have connected, and have sent nothing, may be among
 * them. True without /proc, so that a caller waits.
 */
export function hasHandshakes(ports: ReadonlySet<number>): boolean {
  if (!onLinux || ports.size === 0) return false;
  if (!existsSync("/proc/net/tcp")) return true;
  return ["tcp", "tcp6"].some((table) =>
    linesWith(`/proc/net/${table}`, ` ${synReceived} `, () => false).some((line) => {
      const [, , port = "", state] = tcpRow.exec(line) ?? [];
      return state === synReceived && ports.has(Number.parseInt(port.slice(1), 16));
    }),
  );
}

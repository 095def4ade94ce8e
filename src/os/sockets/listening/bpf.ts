/**
 * A classic BPF program on a group of listening sockets says who gets a new connection. Linux only; needs no
 * capability.
 */
import { constants } from "node:os";
import { ptr } from "bun:ffi";
import { lastError, library, SystemError } from "../../libc.ts";
import { onLinux, system } from "../socket-options.ts";

const LINUX_SO_ATTACH_REUSEPORT_CBPF = 51;

/**
 * Sends new connections of the fd's SO_REUSEPORT group to its first `count` sockets, in the order in
 * which they began to listen. Answers why the system refuses; null when it is done.
 *
 * By chance, not by SKF_AD_RXHASH: network devices that compute no hash leave 0 there, and one socket
 * would get everything. A handshake that began stays with its socket, so no packet needs to land twice alike.
 */
export function steerReuseport(fd: number, count: number): SystemError | null {
  if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`count must be at least 1`);
  if (!onLinux) return new SystemError(constants.errno.ENOTSUP, "setsockopt");
  return attachProgram(fd, LINUX_SO_ATTACH_REUSEPORT_CBPF, [
    instruction(0x20, 0, 0, 0xfffff038), // ld [SKF_AD_OFF + SKF_AD_RANDOM]
    instruction(0x94, 0, 0, count), // mod #count
    instruction(0x16, 0, 0, 0), // ret a
  ]);
}

/** One `struct sock_filter`. */
function instruction(code: number, jt: number, jf: number, k: number): readonly number[] {
  return [code, jt, jf, k];
}

function attachProgram(
  fd: number,
  option: number,
  program: readonly (readonly number[])[],
): SystemError | null {
  const filters = new Uint8Array(program.length * 8);
  const view = new DataView(filters.buffer);
  for (const [index, [code = 0, jt = 0, jf = 0, k = 0]] of program.entries()) {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jt);
    view.setUint8(index * 8 + 3, jf);
    view.setUint32(index * 8 + 4, k, true);
  }
  // struct sock_fprog { unsigned short len; struct sock_filter *filter; }
  const header = new Uint8Array(16);
  const headerView = new DataView(header.buffer);
  headerView.setUint16(0, program.length, true);
  headerView.setBigUint64(8, BigInt(ptr(filters)), true);
  const { setsockopt } = library();
  const result = setsockopt(fd, system.socketLevel, option, ptr(header), header.byteLength);
  return result < 0 ? lastError("setsockopt") : null;
}

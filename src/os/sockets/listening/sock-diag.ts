/**
 * Handshakes under way at this machine's ports, and who holds one, asked of the kernel by sock_diag(7). Linux only; needs
 * no capability. It sends those alone, where /proc/net/tcp prints every connection, for a second on a busy machine.
 */
import { ptr } from "bun:ffi";
import { constants } from "node:os";
import { check, library, SystemError } from "../../libc.ts";
import {
  AF_INET,
  closeFd,
  createDatagramSocket,
  IPPROTO_TCP,
  sendNow,
  system,
} from "../socket-options.ts";

const AF_NETLINK = 16;
const NETLINK_SOCK_DIAG = 4;

const SOCK_DIAG_BY_FAMILY = 20;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_REQUEST = 0x001;
const NLM_F_DUMP = 0x300;

/** TCP_SYN_RECV, and TCP_NEW_SYN_RECV, as the kernel itself has it since Linux 4.4. */
const handshakeStates = (1 << 3) | (1 << 12);

/** TCP_LISTEN */
export const listening = 1 << 10;
/**
 * All others but TIME_WAIT, which is in nobody's way; with TCP_BOUND_INACTIVE, of which Linux tells since 6.8. It has to
 * look through every connection for them.
 */
export const bound = 0x3fff & ~(handshakeStates | listening | (1 << 6));

export const mappedV4 = `${"0".repeat(20)}ffff`;

/** struct nlmsghdr */
const headerBytes = 16;
/** It, and struct inet_diag_req_v2. */
const requestBytes = headerBytes + 56;
/** What Linux puts into one packet of answers at most. */
const packetBytes = 32_768;

export interface TcpSocket {
  /** 32 digits; a v4 address is a mapped one. */
  readonly address: string;
  readonly port: number;
  readonly uid: number;
  /** `0` if no process has it. */
  readonly inode: string;
}

/** Whether the system tells. Asked for connections in no state at all, it has none to look through. */
export function tellsHandshakes(): boolean {
  return ask(0, 0, () => false) === false;
}

/**
 * Whether handshakes are under way at one of the ports, of clients of IPv4 or IPv6. An error: the system doesn't tell, for
 * want of the module tcp_diag, say, or of a descriptor.
 */
export function findHandshakes(ports: ReadonlySet<number>): boolean | SystemError {
  return ask(handshakeStates, 0, (view, at) => ports.has(view.getUint16(at + 4)));
}

/** Those in one of the states at a port; 0: at any. Null: the system doesn't tell. */
export function findSockets(states: number, port: number): readonly TcpSocket[] | null {
  const found: TcpSocket[] = [];
  const asked = ask(states, port, (view, at) => {
    const isV4 = view.getUint8(at) === AF_INET;
    const address = new Uint8Array(view.buffer, at + 8, isV4 ? 4 : 16).toHex();
    found.push({
      address: isV4 ? mappedV4 + address : address,
      port: view.getUint16(at + 4),
      uid: view.getUint32(at + 64, true),
      inode: String(view.getUint32(at + 68, true)),
    });
    return false;
  });
  if (asked !== false) return null;
  // In some states the kernel doesn't look at the port.
  return found.filter((socket) => port === 0 || socket.port === port);
}

/** Whether a struct inet_diag_msg is of a wanted socket. */
type IsWanted = (view: DataView, at: number) => boolean;

function ask(states: number, port: number, isWanted: IsWanted): boolean | SystemError {
  let fd = -1;
  try {
    fd = createDatagramSocket(AF_NETLINK, NETLINK_SOCK_DIAG);
    // The kernel has no answer for both at once.
    return [AF_INET, system.inet6].some((family) =>
      isAmong(fd, requestFor(family, states, port), isWanted),
    );
  } catch (error) {
    if (error instanceof SystemError) return error;
    throw error;
  } finally {
    // Answers that haven't been read go with it.
    if (fd >= 0) closeFd(fd);
  }
}

/** Never waits: the kernel makes the first answers as it takes the request, and further ones as those are read. */
function isAmong(fd: number, request: Uint8Array, isWanted: IsWanted): boolean {
  const sent = sendNow(fd, request, null);
  if (sent instanceof SystemError) throw sent;
  const packet = new Uint8Array(packetBytes);
  const view = new DataView(packet.buffer);
  for (;;) {
    const length = check(Number(library().recv(fd, ptr(packet), packet.byteLength, 0)), "recv");
    for (let at = 0; at + headerBytes < length;) {
      const type = view.getUint16(at + 4, true);
      // Both begin with 0, or with the error's number below 0.
      if (type === NLMSG_DONE || type === NLMSG_ERROR) {
        const error = -view.getInt32(at + headerBytes, true);
        if (error !== 0) throw new SystemError(error, "recv");
        return false;
      }
      if (isWanted(view, at + headerBytes)) return true;
      // Each begins at a multiple of 4.
      at += (Math.max(view.getUint32(at, true), headerBytes) + 3) & ~3;
    }
    // Cut, or no netlink at all: nothing would end this.
    if (length < headerBytes) throw new SystemError(constants.errno.EBADMSG, "recv");
  }
}

function requestFor(family: number, states: number, port: number): Uint8Array {
  const request = new Uint8Array(requestBytes);
  const view = new DataView(request.buffer);
  view.setUint32(0, requestBytes, true);
  view.setUint16(4, SOCK_DIAG_BY_FAMILY, true);
  view.setUint16(6, NLM_F_REQUEST | NLM_F_DUMP, true);
  view.setUint8(headerBytes, family);
  view.setUint8(headerBytes + 1, IPPROTO_TCP);
  view.setUint32(headerBytes + 4, states, true);
  view.setUint16(headerBytes + 8, port);
  return request;
}

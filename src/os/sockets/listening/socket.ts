/** Listening sockets by libc. A socket made here is close-on-exec and non-blocking from its first moment. */
import { ptr } from "bun:ffi";
import { check, library, SystemError } from "../../libc.ts";
import { encodeTcp, nameOf } from "../socket-address.ts";
import {
  AF_INET,
  closeFd,
  closeOnFailure,
  createStreamSocket,
  getOption,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  onLinux,
  setOption,
  system,
  TCP_NODELAY,
  tryOption,
} from "../socket-options.ts";
import { refuseNewConnections } from "./hop-limit.ts";

const LINUX_SO_BINDTOIFINDEX = 62;
/** The kernel numbers interfaces from 1 on, and doesn't look whether there is one of this number. */
const noInterface = 0x7fffffff;

export interface ListeningSocketOptions {
  readonly family: 4 | 6;
  /** Numeric; a v6 address may carry a scope, `fe80::1%eth0`. */
  readonly hostname: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  readonly backlog: number;
  readonly reusePort: boolean;
  /** Leaves v4 clients to a v4 socket; for v6 only. */
  readonly v6only: boolean;
}

export interface ListeningSocket {
  readonly fd: number;
  readonly port: number;
}

/** Binds and listens. Throws SystemError, with nothing left open. */
export function createListeningSocket(options: ListeningSocketOptions): ListeningSocket {
  const fd = createBoundSocket(options);
  return closeOnFailure(fd, () => {
    listen(fd, options.backlog);
    return { fd, port: boundPort(fd) };
  });
}

/**
 * Binds without listening: the port is kept from other users' servers, and with SO_REUSEPORT this user's own sockets can still
 * listen on it. Throws SystemError, with nothing left open.
 * @param strict for claimAddress() it counts as one that listens. Sockets of another user can't listen then.
 */
export function createReservedSocket(
  options: Omit<ListeningSocketOptions, "backlog"> & { readonly strict: boolean },
): ListeningSocket {
  const fd = createBoundSocket(options);
  return closeOnFailure(fd, () => {
    // What is bound, and doesn't listen, is in nobody's way if both may reuse the address (inet_bind_conflict).
    if (onLinux && options.strict) setOption(fd, system.socketLevel, system.reuseAddress, 0);
    return { fd, port: boundPort(fd) };
  });
}

/**
 * Keeps an address for this process while its first SO_REUSEPORT socket is opened, which would share it silently with those
 * of another server of the same user. Two that begin at the same moment both can bind; the kernel looks once more in listen(),
 * and lets one through (inet_csk_listen_start). Elsewhere than on Linux nothing is kept: who listens already is found.
 *
 * Who connects is refused until that socket listens, and tries again when it likes: nobody comes to the one that listens here.
 * @returns what has to be let go when that socket listens
 * @throws SystemError EADDRINUSE when somebody listens there, or keeps it
 */
export function claimAddress(
  options: Omit<ListeningSocketOptions, "backlog" | "reusePort">,
): Disposable {
  const fd = createBoundSocket({ ...options, reusePort: false });
  if (!onLinux) {
    closeFd(fd);
    return { [Symbol.dispose]() {} };
  }
  return closeOnFailure(fd, () => {
    // Else it is one of the group that is to come, and nobody accepts there: SYNs that it drops come again, a second later.
    if (!bindToNoInterface(fd)) refuseNewConnections(fd, options.family);
    listen(fd, 1);
    setOption(fd, system.socketLevel, system.reusePort, 1);
    return { [Symbol.dispose]: () => closeFd(fd) };
  });
}

/**
 * No packet comes by an interface that doesn't exist, while sockets of all interfaces are in the way of any one
 * (inet_bind_conflict), and those that are bound to the same are. Answers whether it is done: Linux before 5.7 refuses it.
 */
function bindToNoInterface(fd: number): boolean {
  try {
    // A link-local address has one. In a VRF, it says which table of ports the address is kept in.
    if (getOption(fd, system.socketLevel, LINUX_SO_BINDTOIFINDEX) !== 0) return false;
    setOption(fd, system.socketLevel, LINUX_SO_BINDTOIFINDEX, noInterface);
    return true;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}

/** Listens, or changes the backlog of a socket that listens already. */
export function listen(fd: number, backlog: number): void {
  check(library().listen(fd, backlog), "listen");
}

function createBoundSocket(options: Omit<ListeningSocketOptions, "backlog">): number {
  const { family, hostname, port, reusePort, v6only } = options;
  const fd = createStreamSocket(family === 6 ? system.inet6 : AF_INET);
  return closeOnFailure(fd, () => {
    setOption(fd, system.socketLevel, system.reuseAddress, 1);
    if (reusePort) setOption(fd, system.socketLevel, system.reusePort, 1);
    // Accepted sockets inherit it. Without it, answers in several writes are slower.
    tryOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (family === 6 && v6only) setOption(fd, IPPROTO_IPV6, system.v6only, 1);
    const address = encodeTcp(family, hostname, port);
    check(library().bind(fd, ptr(address), address.byteLength), "bind");
    return fd;
  });
}

function boundPort(fd: number): number {
  const name = nameOf(fd);
  if (name?.type !== "tcp") throw new TypeError(`fd ${fd} isn't a TCP socket`);
  return name.port;
}

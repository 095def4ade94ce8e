/** Listening sockets by libc. A socket made here is close-on-exec and non-blocking from its first moment. */
import { ptr } from "bun:ffi";
import { check, fcntl, library } from "./libc.ts";

export interface ListeningSocketOptions {
  readonly family: 4 | 6;
  /** Numeric; a v6 address may carry a scope, `fe80::1%eth0`. */
  readonly hostname: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  readonly backlog: number;
  readonly reusePort: boolean;
  /** Only for v6: leaves v4 clients to a v4 socket. */
  readonly v6only: boolean;
}

export interface ListeningSocket {
  readonly fd: number;
  readonly port: number;
}

interface Constants {
  readonly inet6: number;
  readonly socketLevel: number;
  readonly reuseAddress: number;
  readonly reusePort: number;
  readonly v6only: number;
  readonly nonBlocking: number;
}

const linux: Constants = {
  inet6: 10,
  socketLevel: 1,
  reuseAddress: 2,
  reusePort: 15,
  v6only: 26,
  nonBlocking: 0o4000,
};

const darwin: Constants = {
  inet6: 30,
  socketLevel: 0xffff,
  reuseAddress: 0x0004,
  reusePort: 0x0200,
  v6only: 27,
  nonBlocking: 0x0004,
};

const onDarwin = process.platform === "darwin";
const onLinux = process.platform === "linux";
const system = onDarwin ? darwin : linux;

const AF_INET = 2;
const SOCK_STREAM = 1;
const LINUX_SOCK_CLOEXEC = 0o2000000;
const IPPROTO_TCP = 6;
const IPPROTO_IPV6 = 41;
const TCP_NODELAY = 1;
const LINUX_TCP_INFO = 11;
const LINUX_SO_ATTACH_FILTER = 26;
const LINUX_SO_ATTACH_REUSEPORT_CBPF = 51;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const F_SETFL = 4;
const LINUX_F_DUPFD_CLOEXEC = 1030;
const DARWIN_F_DUPFD_CLOEXEC = 67;

/** Binds and listens. Throws SystemError, with nothing left open. */
export function createListeningSocket(options: ListeningSocketOptions): ListeningSocket {
  const fd = createBoundSocket(options);
  return closeOnFailure(fd, () => {
    listen(fd, options.backlog);
    return { fd, port: boundPort(fd) };
  });
}

/**
 * Binds without listening: the port is kept from other users' servers, and with SO_REUSEPORT this user's
 * own sockets can still listen on it. Throws SystemError, with nothing left open.
 */
export function createReservedSocket(
  options: Omit<ListeningSocketOptions, "backlog">,
): ListeningSocket {
  const fd = createBoundSocket(options);
  return closeOnFailure(fd, () => ({ fd, port: boundPort(fd) }));
}

/**
 * Throws EADDRINUSE when somebody listens on the address. SO_REUSEPORT sockets of the same user would
 * share it silently; a bind without the option doesn't.
 */
export function probeAddress(options: Omit<ListeningSocketOptions, "backlog" | "reusePort">): void {
  closeFd(createBoundSocket({ ...options, reusePort: false }));
}

/** Also changes the backlog of a socket that listens already. */
export function listen(fd: number, backlog: number): void {
  check(library().listen(fd, backlog), "listen");
}

export function closeFd(fd: number): void {
  check(library().close(fd), "close");
}

/** Another descriptor of the same socket, close-on-exec: for whoever closes what it is given. */
export function duplicateFd(fd: number): number {
  return fcntl(fd, onDarwin ? DARWIN_F_DUPFD_CLOEXEC : LINUX_F_DUPFD_CLOEXEC, 0);
}

/** Keeps the fd from the programs that this process starts. */
export function setCloseOnExec(fd: number): void {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/**
 * Sends new connections of the fd's SO_REUSEPORT group to its first `count` sockets, in the order in
 * which they began to listen. Answers false where the system can't (only Linux can).
 *
 * By chance, not by SKF_AD_RXHASH: network devices that compute no hash leave 0 there, and one socket
 * would get everything. A handshake that began stays with its socket, so no packet needs to land twice alike.
 */
export function steerReuseport(fd: number, count: number): boolean {
  if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`count must be at least 1`);
  if (!onLinux) return false;
  attachProgram(fd, LINUX_SO_ATTACH_REUSEPORT_CBPF, [
    instruction(0x20, 0, 0, 0xfffff038), // ld [SKF_AD_OFF + SKF_AD_RANDOM]
    instruction(0x94, 0, 0, count), // mod #count
    instruction(0x16, 0, 0, 0), // ret a
  ]);
  return true;
}

/**
 * Drops SYNs that arrive at a listening socket which is about to close, so that clients try again
 * instead of being accepted and reset. The queue, and handshakes that have begun, are left alone:
 * dropping every packet would lose the latter. Holds for every process that shares the socket; accepted
 * sockets inherit the filter, and never see a SYN. Answers false where the system can't.
 */
export function refuseNewConnections(fd: number): boolean {
  if (!onLinux) return false;
  attachProgram(fd, LINUX_SO_ATTACH_FILTER, [
    instruction(0x30, 0, 0, 13), // ldb [13]: the flags of the TCP header
    instruction(0x45, 0, 1, 0x02), // jset #SYN, else skip one
    instruction(0x06, 0, 0, 0), // ret #0: drop
    instruction(0x06, 0, 0, 0xffffffff), // ret #-1: keep
  ]);
  return true;
}

/** Connections that wait to be accepted; null where the system doesn't say. */
export function acceptQueueLength(fd: number): number | null {
  if (!onLinux) return null;
  // struct tcp_info: for a listening socket, tcpi_unacked is the length of its queue.
  const info = new Uint32Array(26);
  const length = new Uint32Array([info.byteLength]);
  check(
    library().getsockopt(fd, IPPROTO_TCP, LINUX_TCP_INFO, ptr(info), ptr(length)),
    "getsockopt",
  );
  return info[6] ?? 0;
}

function createBoundSocket(options: Omit<ListeningSocketOptions, "backlog">): number {
  const domain = options.family === 6 ? system.inet6 : AF_INET;
  const type = onDarwin ? SOCK_STREAM : SOCK_STREAM | LINUX_SOCK_CLOEXEC | linux.nonBlocking;
  const fd = check(library().socket(domain, type, 0), "socket");
  return closeOnFailure(fd, () => {
    if (onDarwin) {
      setCloseOnExec(fd);
      fcntl(fd, F_SETFL, darwin.nonBlocking);
    }
    setOption(fd, system.socketLevel, system.reuseAddress, 1);
    if (options.reusePort) setOption(fd, system.socketLevel, system.reusePort, 1);
    // Accepted sockets inherit it.
    setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (options.family === 6 && options.v6only) setOption(fd, IPPROTO_IPV6, system.v6only, 1);
    const address = socketAddress(options.family, options.hostname, options.port);
    check(library().bind(fd, ptr(address), address.byteLength), "bind");
    return fd;
  });
}

function closeOnFailure<T>(fd: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    library().close(fd);
    throw error;
  }
}

function setOption(fd: number, level: number, option: number, value: number): void {
  const bytes = new Int32Array([value]);
  check(library().setsockopt(fd, level, option, ptr(bytes), bytes.byteLength), "setsockopt");
}

/** A sockaddr_in (16 bytes) or sockaddr_in6 (28 bytes). */
function socketAddress(family: 4 | 6, hostname: string, port: number): Uint8Array {
  const [host = "", scope] = hostname.split("%");
  const bytes = new Uint8Array(family === 6 ? 28 : 16);
  const view = new DataView(bytes.buffer);
  const domain = family === 6 ? system.inet6 : AF_INET;
  if (onDarwin) {
    bytes[0] = bytes.byteLength;
    bytes[1] = domain;
  } else {
    view.setUint16(0, domain, true);
  }
  view.setUint16(2, port);
  const target = ptr(bytes, family === 6 ? 8 : 4);
  const text = cString(host);
  if (library().inet_pton(domain, ptr(text), target) !== 1)
    throw new TypeError(`not a numeric v${family} address: ${hostname}`);
  if (family === 6 && scope !== undefined) view.setUint32(24, scopeIndex(scope), true);
  return bytes;
}

function scopeIndex(scope: string): number {
  if (/^\d+$/.test(scope)) return Number(scope);
  const name = cString(scope);
  return library().if_nametoindex(ptr(name));
}

function cString(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

function boundPort(fd: number): number {
  const bytes = new Uint8Array(28);
  const length = new Uint32Array([bytes.byteLength]);
  check(library().getsockname(fd, ptr(bytes), ptr(length)), "getsockname");
  return new DataView(bytes.buffer).getUint16(2);
}

/** One `struct sock_filter`. */
function instruction(code: number, jt: number, jf: number, k: number): readonly number[] {
  return [code, jt, jf, k];
}

function attachProgram(fd: number, option: number, program: readonly (readonly number[])[]): void {
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
  check(
    library().setsockopt(fd, linux.socketLevel, option, ptr(header), header.byteLength),
    "setsockopt",
  );
}

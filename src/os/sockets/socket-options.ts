/** What both kinds of listening sockets need of the system: numbers that differ between systems, options and flags. */
import { ptr } from "bun:ffi";
import { check, fcntl, lastError, library, type SystemError } from "../libc.ts";

interface Constants {
  readonly inet6: number;
  readonly socketLevel: number;
  readonly reuseAddress: number;
  readonly reusePort: number;
  readonly acceptsConnections: number;
  readonly socketType: number;
  readonly v6only: number;
  readonly nonBlocking: number;
  readonly duplicate: number;
}

const linux: Constants = {
  inet6: 10,
  socketLevel: 1,
  reuseAddress: 2,
  reusePort: 15,
  acceptsConnections: 30,
  socketType: 3,
  v6only: 26,
  nonBlocking: 0o4000,
  duplicate: 1030,
};

const darwin: Constants = {
  inet6: 30,
  socketLevel: 0xffff,
  reuseAddress: 0x0004,
  reusePort: 0x0200,
  acceptsConnections: 0x0002,
  socketType: 0x1008,
  v6only: 27,
  nonBlocking: 0x0004,
  duplicate: 67,
};

export const onDarwin = process.platform === "darwin";
export const onLinux = process.platform === "linux";
export const system = onDarwin ? darwin : linux;

export const AF_UNIX = 1;
export const AF_INET = 2;
export const IPPROTO_TCP = 6;
export const IPPROTO_IPV6 = 41;
export const TCP_NODELAY = 1;
export const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const LINUX_SOCK_CLOEXEC = 0o2000000;
/** MSG_DONTWAIT, and MSG_NOSIGNAL on Linux; Bun ignores SIGPIPE on macOS. */
const sendFlags = onDarwin ? 0x80 : 0x40 | 0x4000;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const F_GETFL = 3;
const F_SETFL = 4;

/** A stream socket, close-on-exec and non-blocking from its first moment. */
export function createStreamSocket(domain: number): number {
  return createSocket(domain, SOCK_STREAM);
}

/** A socket for datagrams, close-on-exec and non-blocking too. */
export function createDatagramSocket(domain: number, protocol = 0): number {
  return createSocket(domain, SOCK_DGRAM, protocol);
}

function createSocket(domain: number, kind: number, protocol = 0): number {
  const type = onDarwin ? kind : kind | LINUX_SOCK_CLOEXEC | linux.nonBlocking;
  const fd = check(library().socket(domain, type, protocol), "socket");
  if (onDarwin) {
    closeOnFailure(fd, () => {
      setCloseOnExec(fd);
      setNonBlocking(fd);
    });
  }
  return fd;
}

export function closeOnFailure<T>(fd: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    library().close(fd);
    throw error;
  }
}

export function closeFd(fd: number): void {
  check(library().close(fd), "close");
}

/** Another descriptor of the same socket, close-on-exec: for whoever closes what it is given. */
export function duplicateFd(fd: number): number {
  return fcntl(fd, system.duplicate, 0);
}

/** Keeps the fd from the programs that this process starts. */
export function setCloseOnExec(fd: number): void {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
}

export function setNonBlocking(fd: number): void {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL, 0) | system.nonBlocking);
}

/**
 * Never waits. Answers with the number of bytes that the kernel has taken, or the error; `to` is null on a socket that
 * is connected.
 */
export function sendNow(
  fd: number,
  bytes: Uint8Array,
  to: Uint8Array | null,
): number | SystemError {
  // A pointer to no bytes is an error of bun:ffi's.
  if (bytes.byteLength === 0) return 0;
  const address = to === null ? null : ptr(to);
  const { sendto } = library();
  const sent = sendto(fd, ptr(bytes), bytes.byteLength, sendFlags, address, to?.byteLength ?? 0);
  return Number(sent) < 0 ? lastError("sendto") : Number(sent);
}

export function setOption(fd: number, level: number, option: number, value: number): void {
  const bytes = new Int32Array([value]);
  check(library().setsockopt(fd, level, option, ptr(bytes), bytes.byteLength), "setsockopt");
}

/** Sets an option that only helps. Answers why the system refuses it; null when it is set. */
export function tryOption(
  fd: number,
  level: number,
  option: number,
  value: number,
): SystemError | null {
  const bytes = new Int32Array([value]);
  const result = library().setsockopt(fd, level, option, ptr(bytes), bytes.byteLength);
  return result < 0 ? lastError("setsockopt") : null;
}

export function getOption(fd: number, level: number, option: number): number {
  const bytes = new Int32Array(1);
  const length = new Uint32Array([bytes.byteLength]);
  check(library().getsockopt(fd, level, option, ptr(bytes), ptr(length)), "getsockopt");
  return bytes[0] ?? 0;
}

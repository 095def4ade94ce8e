/** Datagrams to the service manager that started this process: what sd_notify(3) does. */
import { ptr } from "bun:ffi";
import { check, library, SystemError } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const LINUX_SOCK_CLOEXEC = 0o2000000;
const LINUX_MSG_DONTWAIT = 0x40;
const LINUX_MSG_NOSIGNAL = 0x4000;
const LINUX_CLOCK_MONOTONIC = 1;
/** sun_path of struct sockaddr_un. */
const pathLimit = 108;

/**
 * Sends one datagram to a NOTIFY_SOCKET, a path or the `@name` of an abstract socket, and never waits.
 * Answers null when it was sent, or why not: nobody may stop for that.
 */
export function sendNotification(address: string, text: string): string | null {
  if (process.platform !== "linux") return "only Linux has service notification";
  const name = socketName(address);
  if (name === null) return "not the path or @name of a socket, or too long";
  const message = new TextEncoder().encode(text);
  try {
    send(name, message);
    return null;
  } catch (error) {
    if (error instanceof SystemError) return error.message;
    throw error;
  }
}

/** CLOCK_MONOTONIC in microseconds. Bun's own clocks count from the start of the process. */
export function monotonicUsec(): bigint {
  if (process.platform !== "linux") return process.hrtime.bigint() / 1000n;
  const time = new BigInt64Array(2);
  check(library().clock_gettime(LINUX_CLOCK_MONOTONIC, ptr(time)), "clock_gettime");
  const [seconds = 0n, nanoseconds = 0n] = time;
  return seconds * 1_000_000n + nanoseconds / 1000n;
}

/** What stands in sun_path; the length tells an abstract name's end, a NUL that of a path. */
function socketName(address: string): Uint8Array | null {
  const abstract = address.startsWith("@");
  if (!abstract && !address.startsWith("/")) return null;
  const name = new TextEncoder().encode(abstract ? `\0${address.slice(1)}` : `${address}\0`);
  return name.byteLength > pathLimit || address === "@" ? null : name;
}

function send(name: Uint8Array, message: Uint8Array): void {
  const to = new Uint8Array(2 + name.byteLength);
  new DataView(to.buffer).setUint16(0, AF_UNIX, true);
  to.set(name, 2);
  const fd = check(library().socket(AF_UNIX, SOCK_DGRAM | LINUX_SOCK_CLOEXEC, 0), "socket");
  try {
    const flags = LINUX_MSG_DONTWAIT | LINUX_MSG_NOSIGNAL;
    const { sendto } = library();
    check(sendto(fd, ptr(message), message.byteLength, flags, ptr(to), to.byteLength), "sendto");
  } finally {
    library().close(fd);
  }
}

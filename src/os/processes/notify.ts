/** Datagrams to the service manager that started this process: what sd_notify(3) does. */
import { ptr } from "bun:ffi";
import { DatagramSocket } from "../sockets/datagram-socket.ts";
import { check, library, SystemError } from "../libc.ts";
import { encodeUnix } from "../sockets/socket-address.ts";

const LINUX_CLOCK_MONOTONIC = 1;
/** sun_path of struct sockaddr_un. */
const pathLimit = 108;

/**
 * Sends one datagram to a NOTIFY_SOCKET, a path or the `@name` of an abstract socket, and never waits.
 * Answers null when it was sent, or why not: nobody may stop for that.
 */
export function sendNotification(address: string, text: string): string | null {
  if (process.platform !== "linux") return "only Linux has service notification";
  const path = socketPath(address);
  if (path === null) return "not the path or @name of a socket, or too long";
  try {
    using socket = new DatagramSocket(encodeUnix(path));
    return socket.send(new TextEncoder().encode(text))?.message ?? null;
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

/** The name as encodeUnix takes it: an abstract one begins with NUL. Null for what is neither that nor a path. */
function socketPath(address: string): string | null {
  const abstract = address.startsWith("@");
  if (!abstract && !address.startsWith("/")) return null;
  // An abstract name begins with a NUL, and a path ends with one.
  if (Buffer.byteLength(address) + (abstract ? 0 : 1) > pathLimit || address === "@") return null;
  return abstract ? `\0${address.slice(1)}` : address;
}

/**
 * Descriptors handed to a process that runs already, through a pair of sockets: SCM_RIGHTS, unix(7). Linux only, whose
 * structures these are.
 */
import { ptr } from "bun:ffi";
import { check, library } from "../libc.ts";
import { AF_UNIX, closeFd, SOCK_STREAM } from "./socket-options.ts";

const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;

/** SCM_MAX_FD: so many go with one message. */
export const mostPassed = 253;

/** Both ends of a pair that is close-on-exec. Throws SystemError. */
export function createSocketPair(): readonly [number, number] {
  const ends = new Int32Array(2);
  check(library().socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ptr(ends)), "socketpair");
  return [ends[0] as number, ends[1] as number];
}

/**
 * Hands on what descriptors stand for; the caller's stay open. Doesn't wait.
 * @param fds at most mostPassed
 * @throws SystemError
 */
export function passDescriptors(channel: number, fds: readonly number[]): void {
  const { words, places } = roomFor(fds.length);
  places.set(fds);
  check(Number(library().sendmsg(channel, ptr(words), MSG_DONTWAIT | MSG_NOSIGNAL)), "sendmsg");
}

/**
 * What has been passed before this call, under numbers of this process's own, close-on-exec and in the same order.
 * @throws SystemError, or an Error if it isn't as many as `count`
 */
export function receiveDescriptors(channel: number, count: number): number[] {
  const { words, places } = roomFor(count);
  const flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
  check(Number(library().recvmsg(channel, ptr(words), flags)), "recvmsg");
  // Where no descriptor is free, the kernel passes fewer, or leaves the whole structure out.
  const bytes = words[controlLengthAt] === 0n ? 0 : Number(words[controlAt]) - controlHeadBytes;
  const fds = [...places.subarray(0, bytes / places.BYTES_PER_ELEMENT)];
  if (fds.length === count) return fds;
  for (const fd of fds) closeFd(fd);
  throw new Error(`${count} descriptors were passed, and ${fds.length} have come`);
}

/** Gives what a descriptor stands for another number, which loses what it stood for. Throws SystemError. */
export function moveDescriptor(from: number, to: number): void {
  check(library().dup2(from, to), "dup2");
  closeFd(from);
}

// Where things are, in words of eight bytes. struct msghdr { name, namelen, iov, iovlen, control, controllen, flags },
// struct iovec { base, len }, the byte of data without which nothing is sent, and struct cmsghdr { len, level and type }.
const controlLengthAt = 5;
const vectorAt = 7;
const byteAt = 9;
const controlAt = 10;
const placesAt = 12;

const wordBytes = 8;
const controlHeadBytes = 16;

/** A message with places for so many descriptors. All of it is one memory, since it points into itself. */
function roomFor(count: number): { words: BigUint64Array; places: Int32Array } {
  // JavaScriptCore doesn't move what an ArrayBuffer holds.
  const memory = new ArrayBuffer((placesAt + Math.ceil(count / 2)) * wordBytes);
  const words = new BigUint64Array(memory);
  const address = (at: number) => BigInt(ptr(memory) + at * wordBytes);
  words.set([0n, 0n, address(vectorAt), 1n, address(controlAt)]);
  words[controlLengthAt] = BigInt(memory.byteLength - controlAt * wordBytes);
  words.set([address(byteAt), 1n], vectorAt);
  words[controlAt] = BigInt(controlHeadBytes + count * Int32Array.BYTES_PER_ELEMENT);
  words[controlAt + 1] = BigInt(SOL_SOCKET) | (BigInt(SCM_RIGHTS) << 32n);
  return { words, places: new Int32Array(memory, placesAt * wordBytes, count) };
}

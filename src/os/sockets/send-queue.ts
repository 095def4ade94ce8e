/** What the kernel knows of a connected socket that its owner isn't told. */
import { ptr } from "bun:ffi";
import { library } from "../libc.ts";
import { pollNow } from "../poll.ts";

const SIOCOUTQ = 0x5411;
const FIONREAD = process.platform === "darwin" ? 0x4004667f : 0x541b;
const POLLRDHUP = 0x2000;

const onLinux = process.platform === "linux";
const answer = new Int32Array(1);

/**
 * Bytes that a connected socket has been given and its peer's kernel hasn't acknowledged, a FIN counting as one; -1 if
 * that can't be known: on other systems than Linux, and of a descriptor that is no socket.
 */
export function unsentBytes(fd: number): number {
  if (!onLinux || fd < 0) return -1;
  return library().ioctl(fd, SIOCOUTQ, ptr(answer)) < 0 ? -1 : (answer[0] as number);
}

/** Whether the peer has sent FIN, also behind bytes that nobody has read yet. Linux only: elsewhere it is false. */
export function peerHasEnded(fd: number): boolean {
  return onLinux && fd >= 0 && (pollNow(fd, POLLRDHUP) & POLLRDHUP) !== 0;
}

/** Bytes that have come to a connected socket and that nobody has read; -1 if that can't be known. */
export function unreadBytes(fd: number): number {
  if (fd < 0) return -1;
  return library().ioctl(fd, FIONREAD, ptr(answer)) < 0 ? -1 : (answer[0] as number);
}

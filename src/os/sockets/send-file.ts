/** Files to connected sockets inside the kernel, and what of them is in memory. Linux only. */
import { ptr } from "bun:ffi";
import { constants } from "node:os";
import { errnoNow, fileLibrary } from "../libc.ts";

/** preadv2(2): fail rather than wait for a disk. */
const RWF_NOWAIT = 8;

/**
 * statfs(2), f_type, of file systems that know no RWF_NOWAIT and yet are as fast as any local one: tmpfs and ramfs are
 * memory, and overlayfs, where containers have their files, has its own on another.
 */
const local: ReadonlySet<number> = new Set([0x0102_1994, 0x8584_58f6, 0x794c_7630]);

/** Negative numbers are errors: -EAGAIN and so on. */
export interface SendFile {
  /** How many bytes the socket has taken; none: the file has ended. It doesn't wait for the client. */
  sendFile(socket: number, file: number, at: number, count: number): number;
  /** How many bytes from `at` on were in memory; none: the file has ended. */
  readCached(file: number, at: number, into: Uint8Array): number;
  /** Whether bytes [at, at + count) can be had without a wait, as far as the first and the last tell. */
  isCached(file: number, at: number, count: number): boolean;
}

/** Null where the C library has no such calls. */
export function openSendFile(): SendFile | null {
  const library = process.platform === "linux" ? fileLibrary() : null;
  return library === null ? null : makeSendFile(library);
}

function makeSendFile(library: NonNullable<ReturnType<typeof fileLibrary>>): SendFile {
  const offset = new BigInt64Array(1);
  // struct iovec: an address and a size.
  const vector = new BigUint64Array(2);
  const byte = new Uint8Array(1);
  const answer = new BigInt64Array(32);

  // ptr() at each call: JavaScriptCore may move what small arrays hold.
  const read = (file: number, at: number, into: Uint8Array, flags: number) => {
    vector[0] = BigInt(ptr(into));
    vector[1] = BigInt(into.byteLength);
    const got = Number(library.preadv2(file, ptr(vector), 1, at, flags));
    return got < 0 ? -errnoNow() : got;
  };
  const isLocal = (file: number) => {
    if (library.fstatfs(file, ptr(answer)) < 0) return false;
    return local.has(Number(answer[0]));
  };
  const readNow = (file: number, at: number, into: Uint8Array) => {
    const got = read(file, at, into, RWF_NOWAIT);
    if (got !== -constants.errno.EOPNOTSUPP || !isLocal(file)) return got;
    return read(file, at, into, 0);
  };
  return {
    sendFile(socket, file, at, count) {
      offset[0] = BigInt(at);
      const sent = Number(library.sendfile(socket, file, ptr(offset), count));
      return sent < 0 ? -errnoNow() : sent;
    },
    readCached: readNow,
    isCached: (file, at, count) =>
      readNow(file, at, byte) >= 0 && readNow(file, at + count - 1, byte) >= 0,
  };
}

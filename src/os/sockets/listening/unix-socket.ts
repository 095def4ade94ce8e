/** Unix sockets: with a path, and with an abstract name, which begins with NUL and has no file. */
import { lchownSync, lstatSync, type Stats, unlinkSync } from "node:fs";
import { ptr } from "bun:ffi";
import { check, library, SystemError } from "../../libc.ts";
import { encodeUnix } from "../socket-address.ts";
import { AF_UNIX, closeFd, closeOnFailure, createStreamSocket } from "../socket-options.ts";
import { listen } from "./socket.ts";

/** The identity of a file, whatever its name: a socket that somebody put in its place is another one. */
export interface FileIdentity {
  readonly device: number;
  readonly inode: number;
  /** Numbers of inodes come back; a socket's own time doesn't change. */
  readonly modifiedMs: number;
}

export interface UnixSocketOptions {
  readonly path: string;
  readonly backlog: number;
  readonly umask: number;
  /** The owner of the file; null leaves it to whom this process runs as. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
}

/** Binds and listens. Throws SystemError or the error of chown, with nothing left open and no file. */
export function createUnixSocket(options: UnixSocketOptions): {
  readonly fd: number;
  readonly file: FileIdentity;
} {
  const { path, backlog, umask, owner } = options;
  const address = encodeUnix(path);
  const fd = createStreamSocket(AF_UNIX);
  return closeOnFailure(fd, () => {
    const before = process.umask(umask);
    try {
      check(library().bind(fd, ptr(address), address.byteLength), "bind");
    } finally {
      process.umask(before);
    }
    try {
      // Nobody can connect before listen().
      if (owner !== null) lchownSync(path, owner.uid, owner.gid);
      listen(fd, backlog);
      return { fd, file: identityOf(lstatSync(path)) };
    } catch (error) {
      unlinkSync(path);
      throw error;
    }
  });
}

/** Binds an abstract name and listens. It has neither owner nor mode, and is free again when the socket closes. */
export function createAbstractSocket(path: string, backlog: number): number {
  const address = encodeUnix(path);
  const fd = createStreamSocket(AF_UNIX);
  return closeOnFailure(fd, () => {
    check(library().bind(fd, ptr(address), address.byteLength), "bind");
    listen(fd, backlog);
    return fd;
  });
}

/** What stands in the way of a socket at a path. */
export type PathState = "free" | "not a socket" | "in use" | "stale";

/** Whether a file is at the path, and somebody answers on it. Connects to it, which the other end sees. */
export function inspectPath(path: string): PathState {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return "free";
  if (!found.isSocket()) return "not a socket";
  return isAnswered(path) ? "in use" : "stale";
}

/** Removes the file if it is still the one; answers whether. */
export function unlinkIfSame(path: string, file: FileIdentity): boolean {
  const now = fileAt(path);
  if (now === null || !Bun.deepEquals(now, file)) return false;
  unlinkSync(path);
  return true;
}

/** The socket file at the path; null if there is none, as for an abstract name. */
export function fileAt(path: string): FileIdentity | null {
  if (path.startsWith("\0")) return null;
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isSocket() === true ? identityOf(found) : null;
}

function isAnswered(path: string): boolean {
  const address = encodeUnix(path);
  const fd = createStreamSocket(AF_UNIX);
  try {
    check(library().connect(fd, ptr(address), address.byteLength), "connect");
    return true;
  } catch (error) {
    const code = error instanceof SystemError ? error.code : "";
    // ENOENT: it has gone meanwhile.
    if (code === "ECONNREFUSED" || code === "ENOENT") return false;
    // A full queue, or a socket of datagrams: somebody has it.
    if (code === "EAGAIN" || code === "EPROTOTYPE") return true;
    throw error;
  } finally {
    closeFd(fd);
  }
}

function identityOf({ dev, ino, mtimeMs }: Stats): FileIdentity {
  return { device: dev, inode: ino, modifiedMs: mtimeMs };
}

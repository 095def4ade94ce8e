/**
 * Memory that several processes map, behind a descriptor that they inherit. Invariant: there is room for all of it
 * before it is mapped.
 */
import { type Pointer, toArrayBuffer } from "bun:ffi";
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { check, cString, lastError, library, memoryLibrary } from "./libc.ts";

const closeOnExec = 1;
const readWrite = 0x1 | 0x2;
const shared = 0x1;
const failed = 0xffff_ffff_ffff_ffffn;

/**
 * Memory without a file, all 0: it needs no folder, no /proc and no right.
 * @returns a descriptor, or null where the system knows no such thing
 * @throws SystemError when it is refused, an error of node:fs when there is no room
 */
export function createAnonymousMemory(bytes: number): number | null {
  const symbols = memoryLibrary();
  if (symbols === null) return null;
  const fd = check(symbols.memfd_create(cString("scoreboard"), closeOnExec), "memfd_create");
  // A third of the time that zeros take (bench: start). Where it is refused, they say why.
  return symbols.posix_fallocate(fd, 0, bytes) === 0 ? fd : filled(fd, bytes);
}

/**
 * A file of a folder, all 0, that has no name any more.
 * @returns a descriptor
 * @throws an error of node:fs when the folder can't be written, or has no room
 */
export function createNamelessFile(folder: string, bytes: number): number {
  const own = mkdtempSync(join(folder, "gunicorn-ts-"));
  try {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
    return filled(openSync(join(own, "scoreboard"), flags, 0o600), bytes);
  } finally {
    // Open descriptors keep the file: no name is left behind, whatever kills the master.
    rmSync(own, { recursive: true });
  }
}

/** A hole would get its blocks when it is written through the map, and a full file system ends that with SIGBUS. */
function filled(fd: number, bytes: number): number {
  try {
    const zeros = new Uint8Array(bytes);
    for (let written = 0; written < bytes;) written += writeSync(fd, zeros, written);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Maps the first bytes behind a descriptor, until the process ends.
 * @throws SystemError
 */
export function mapShared(fd: number, bytes: number): ArrayBuffer {
  // By the descriptor: Bun.mmap takes a path, which would be /proc's.
  const address = library().mmap(null, bytes, readWrite, shared, fd, 0);
  if (address === null || BigInt(address) === failed) throw lastError("mmap");
  return toArrayBuffer(address as Pointer, 0, bytes);
}

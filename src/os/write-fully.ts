import { writeSync } from "node:fs";

/** How often a pipe that is full is tried, once each millisecond. */
export const usualTries = 1000;

/**
 * Writes all of `text`. A pipe that is full is waited for: up to a second if it is non-blocking, and for as long as its reader
 * takes if not.
 * @returns the number of bytes that nobody has taken: 0, unless the system refuses
 */
export function writeFully(fd: number, text: string): number {
  const bytes = Buffer.from(text);
  return tryToWrite(bytes, usualTries, (from) => writeSync(fd, bytes, from));
}

/** @param write answers how many bytes were taken; 0: none at the moment */
export function tryToWrite(bytes: Buffer, tries: number, write: (from: number) => number): number {
  let written = 0;
  for (let left = tries; written < bytes.length;) {
    const taken = tryOnce(() => write(written));
    if (taken === null) break;
    written += taken;
    if (taken > 0) continue;
    left -= 1;
    if (left <= 0) break;
    Bun.sleepSync(1);
  }
  return bytes.length - written;
}

/** Null: the system refuses, as nobody reads the log any more, or the disk is full. A server that dies of it would be worse. */
function tryOnce(write: () => number): number | null {
  try {
    return write();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return code === "EAGAIN" ? 0 : null;
  }
}

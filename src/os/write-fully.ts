import { writeSync } from "node:fs";

/** How often a pipe that is full is tried, once each millisecond. */
const usualTries = 1000;

/**
 * Writes all of `text`; a pipe whose reader is slow is waited for, up to a second unless there are fewer tries.
 * @returns the number of bytes that nobody has taken: 0, unless the system refuses
 */
export function writeFully(fd: number, text: string, tries = usualTries): number {
  const bytes = Buffer.from(text);
  let written = 0;
  for (let left = tries; written < bytes.length;) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Nobody reads the log any more, or the disk is full; a server that dies of it would be worse.
      if (code === undefined) throw error;
      left -= 1;
      if (code !== "EAGAIN" || left <= 0) break;
      Bun.sleepSync(1);
    }
  }
  return bytes.length - written;
}

import { writeSync } from "node:fs";

/** Writes all of `text`; a pipe whose reader is slow is waited for, up to a second. */
export function writeFully(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  for (let tries = 0; written < bytes.length && tries < 1000;) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EAGAIN") {
        tries += 1;
        Bun.sleepSync(1);
        continue;
      }
      // Nobody reads the log any more; a server that dies of it would be worse.
      if (code !== undefined) return;
      throw error;
    }
  }
}

import { writeSync } from "node:fs";
import { pollNow } from "./poll.ts";
import { tryToWrite, usualTries } from "./write-fully.ts";

const POLLOUT = 4;
/**
 * PIPE_BUF of Linux: a pipe takes so many bytes of one write in one piece, whoever else writes to it, and without waiting if
 * poll(2) calls it writable (pipe(7)).
 */
export const pipeBytes = 4096;

/**
 * As writeFully, for what mustn't stop the process: a pipe, a socket or a terminal that takes nothing is waited for up to a second,
 * blocking or not, unless there are fewer tries. Another process that writes at the same moment may fill it.
 */
export function writeInTime(fd: number, text: string, tries = usualTries): number {
  const bytes = Buffer.from(text);
  return tryToWrite(bytes, tries, (from) => {
    if (pollNow(fd, POLLOUT) === 0) return 0;
    return writeSync(fd, bytes, from, Math.min(pipeBytes, bytes.length - from));
  });
}

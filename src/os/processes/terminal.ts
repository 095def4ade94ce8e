/** Terminals, without node:tty, which takes 8 ms to load (bench: start). */
import { library } from "../libc.ts";

export function isTerminal(fd: number): boolean {
  return library().isatty(fd) === 1;
}

/** Whether standard input, output or error is a terminal. */
export function hasTerminal(): boolean {
  return [0, 1, 2].some(isTerminal);
}

import { check, library } from "./libc.ts";

/** Makes standard output and error go where `fd` does. */
export function redirectOutput(fd: number): void {
  for (const stream of [1, 2]) check(library().dup2(fd, stream), "dup2");
}

import { check, library } from "./libc.ts";

/** Makes standard output and error, or those of them that are named, go where `fd` does. */
export function redirectOutput(fd: number, streams: readonly number[] = [1, 2]): void {
  for (const stream of streams) check(library().dup2(fd, stream), "dup2");
}

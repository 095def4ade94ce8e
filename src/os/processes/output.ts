import { closeSync, fstatSync, openSync } from "node:fs";
import { duplicate } from "../file-lock.ts";
import { check, library } from "../libc.ts";

/** Where standard output and error went before captureOutput. */
let saved: readonly { readonly stream: number; readonly fd: number }[] | null = null;

/** Makes standard output and error, or those of them that are named, go where `fd` does. */
export function redirectOutput(fd: number, streams: readonly number[] = [1, 2]): void {
  for (const stream of streams) check(library().dup2(fd, stream), "dup2");
}

/** Makes both go where `fd` does, until releaseOutput; 1 and 2 mean where these went before. Throws SystemError. */
export function captureOutput(fd: number): void {
  saved ??= [1, 2].map((stream) => ({ stream, fd: duplicate(stream) }));
  redirectOutput(saved.find(({ stream }) => stream === fd)?.fd ?? fd);
}

/** Undoes captureOutput. Answers whether there was anything to undo. */
export function releaseOutput(): boolean {
  if (saved === null) return false;
  for (const { stream, fd } of saved) {
    redirectOutput(fd, [stream]);
    library().close(fd);
  }
  saved = null;
  return true;
}

/** Turns standard output and error to /dev/null, if they go to a file that has no name any more: the launcher's. */
export function leaveLauncherOutput(): void {
  const captured = [1, 2].filter((fd) => isUnnamedFile(fd));
  if (captured.length === 0) return;
  const nowhere = openSync("/dev/null", "r+");
  redirectOutput(nowhere, captured);
  closeSync(nowhere);
}

function isUnnamedFile(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFile() && stat.nlink === 0;
  } catch (error) {
    // Somebody closed it.
    if ((error as NodeJS.ErrnoException).code === "EBADF") return false;
    throw error;
  }
}

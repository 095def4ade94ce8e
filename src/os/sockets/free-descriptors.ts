/** How many more descriptors this process may have. */
import { library } from "../libc.ts";
import { duplicateFd } from "./socket-options.ts";

/** Whether so many more could be opened now: RLIMIT_NOFILE, and what the whole system may have. */
export function canOpen(count: number): boolean {
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(duplicateFd(0));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Whatever else is wrong with descriptor 0, others may be there.
    return code !== "EMFILE" && code !== "ENFILE";
  } finally {
    for (const fd of opened) library().close(fd);
  }
}

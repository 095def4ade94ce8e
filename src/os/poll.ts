import { ptr } from "bun:ffi";
import { library } from "./libc.ts";

/** What of the events of poll(2) holds for the fd now; nothing where the system doesn't say. */
export function pollNow(fd: number, events: number): number {
  // struct pollfd { int fd; short events; short revents; }
  const poll = new Int16Array(4);
  new Int32Array(poll.buffer)[0] = fd;
  poll[2] = events;
  return library().poll(ptr(poll), 1, 0) < 0 ? 0 : (poll[3] ?? 0);
}

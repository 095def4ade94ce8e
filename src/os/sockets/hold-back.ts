/** Packets of a connected socket that wait for each other. */
import { ptr } from "bun:ffi";
import { library } from "../libc.ts";
import { IPPROTO_TCP, onLinux } from "./socket-options.ts";

const LINUX_TCP_CORK = 3;

const on = new Int32Array([1]);
const off = new Int32Array([0]);

/**
 * With `held`, what is written waits until a packet is full, for 200 ms at most; FIN, or the same without `held`, sends
 * it. Linux only: elsewhere, and on a unix socket, it is sent at once.
 */
export function holdBack(fd: number, held: boolean): void {
  if (!onLinux) return;
  // ptr() at each call: JavaScriptCore may move what small arrays hold.
  library().setsockopt(fd, IPPROTO_TCP, LINUX_TCP_CORK, ptr(held ? on : off), 4);
}

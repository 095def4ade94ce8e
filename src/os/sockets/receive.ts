/** Bytes of connected sockets straight to where they belong, past the buffer of Bun's event loop. */
import { ptr } from "bun:ffi";
import { library } from "../libc.ts";

/** recv(2): fail rather than wait. */
export const MSG_DONTWAIT = process.platform === "darwin" ? 0x80 : 0x40;

/**
 * Fills `into`, which isn't empty, from its beginning on, with what has come. Answers how many bytes; 0: none, or none
 * will come, which the socket's own events tell.
 */
export function receiveInto(socket: number, into: Uint8Array): number {
  const { recv } = library();
  // ptr() at each call: JavaScriptCore may move what small arrays hold.
  return Math.max(0, Number(recv(socket, ptr(into), into.byteLength, MSG_DONTWAIT)));
}

import { setCloseOnExec } from "../socket-options.ts";

/**
 * Keeps a worker's inherited descriptors from the programs that the app starts: they would hold the port after the
 * server has gone. To be called before the app is loaded.
 */
export function protectInherited(listeners: readonly { readonly fd: number }[]): void {
  for (const { fd } of listeners) setCloseOnExec(fd);
}

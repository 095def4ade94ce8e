import { setCloseOnExec } from "./socket-options.ts";

/**
 * For the worker, before the app is loaded: keeps the inherited sockets from the programs that the app
 * starts, which would hold the port after the server has gone.
 */
export function protectInherited(listeners: readonly { readonly fd: number }[]): void {
  for (const { fd } of listeners) setCloseOnExec(fd);
}

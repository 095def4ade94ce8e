/** Ports that an app opens by itself: it was made to be run alone, and nobody limits, counts or drains what it serves there. */
import type { Log } from "../../log/error-log.ts";
import { ownListeners } from "../../os/own-listeners.ts";

/** Apps listen after their import too: behind a promise that nobody awaits, or a timer. */
const laterMs = 1000;
const remedy = "export its fetch or the app instead of listening";

/** @param inherited the server's own sockets */
export function tellOwnPorts(log: Log, inherited: readonly number[]): void {
  for (const address of ownListeners(inherited)) tell(log, address);
}

/** Once more, a moment later. What listens now is told already, or is the server's, or a hook's. */
export function tellLaterPorts(log: Log, inherited: readonly number[]): void {
  const known = new Set(ownListeners(inherited));
  setTimeout(() => {
    for (const address of ownListeners(inherited)) if (!known.has(address)) tell(log, address);
  }, laterMs).unref();
}

/** Says what EADDRINUSE means in a worker, whose own sockets were bound by the master; nothing about other errors. */
export function explainCollision(log: Log, error: unknown): void {
  if (!isAddressInUse(error)) return;
  log.error(`The app opens a port of its own, where workers collide: ${remedy}`);
}

function tell(log: Log, address: string): void {
  log.warning(
    `The app opens a port of its own, ${address}, beside the addresses of this server: ${remedy}`,
  );
}

function isAddressInUse(error: unknown): boolean {
  try {
    return (error as { readonly code?: unknown } | null | undefined)?.code === "EADDRINUSE";
  } catch {
    // A getter of whatever the app has thrown.
    return false;
  }
}

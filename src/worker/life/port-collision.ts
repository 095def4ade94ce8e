/** An app that opens a port by itself, in each worker: what EADDRINUSE means there. */
import type { Log } from "../../log/error-log.ts";

/** What an operator can do about it. */
export const ownPortRemedy = "export its fetch or the app instead of listening";

/** Says what EADDRINUSE means in a worker, whose own sockets were bound by the master; nothing about other errors. */
export function explainCollision(log: Log, error: unknown): void {
  if (!isAddressInUse(error)) return;
  log.error(`The app opens a port of its own, where workers collide: ${ownPortRemedy}`);
}

function isAddressInUse(error: unknown): boolean {
  try {
    return (error as { readonly code?: unknown } | null | undefined)?.code === "EADDRINUSE";
  } catch {
    // A getter of whatever the app has thrown.
    return false;
  }
}

import type { SecureWire } from "../connection/wire.ts";

/**
 * Gives a socket another `end`: Bun's own waits for the client to close, 10 seconds long, before it sends anything at
 * all.
 */
export function endsAtOnce(wire: Pick<SecureWire, "end">): void {
  wire.end = end;
}

/** close_notify, and FIN: the client knows that nothing is missing (RFC 8446 §6.1). */
function end(this: SecureWire): void {
  this.shutdown();
  this.close();
}

/**
 * Ports that an app opens by itself: it was made to be run alone, and nobody limits, counts or drains what it serves
 * there.
 */
import type { ListeningSocket } from "../../api/serving.ts";
import type { Log } from "../../log/error-log.ts";
import { joinHostPort } from "../../net/ip-address.ts";
import { ownListeners } from "../../os/sockets/listening/own-listeners.ts";
import { ownPortRemedy } from "./port-collision.ts";

/** Where this process listens, but for the server's own addresses. */
export function otherPorts(listeners: readonly ListeningSocket[]): ReadonlySet<string> {
  const ours = new Set(
    listeners.map(({ bound }) =>
      bound.type === "tcp" ? joinHostPort(bound.hostname, bound.port) : null,
    ),
  );
  const addresses = ownListeners(listeners.map(({ fd }) => fd));
  return new Set(addresses.filter((address) => !ours.has(address)));
}

/** @param known of hooks: those who have written them know */
export function tellOwnPorts(
  log: Log,
  listeners: readonly ListeningSocket[],
  known: ReadonlySet<string>,
): void {
  for (const address of otherPorts(listeners)) {
    if (known.has(address)) continue;
    log.warning(
      `The app opens a port of its own, ${address}, beside the addresses of this server: ${ownPortRemedy}`,
    );
  }
}

/** http and https of addresses that are open. */
import { ConfigError } from "../api/errors.ts";
import type { Address } from "../net/bind-address.ts";
import { type Group, urlOf } from "./group.ts";

/**
 * Who serves on a socket already goes on by its own scheme while successors begin, on the same queue: a client would meet
 * either. Throws ConfigError.
 */
export function checkSchemes(
  addresses: readonly Address[],
  groups: readonly (Group | null)[],
  isSecure: (group: Group) => boolean,
): void {
  for (const [at, address] of addresses.entries()) {
    const group = groups[at] ?? null;
    if (group === null || isSecure(group) === address.secure) continue;
    const [was, is] = address.secure ? ["http", "https"] : ["https", "http"];
    const place = urlOf(address, group.bound).replace(/^https?:\/\//, "");
    throw new ConfigError(
      `bind: ${place}: can't change from ${was} to ${is} while workers serve there, stop and start the server for it`,
    );
  }
}

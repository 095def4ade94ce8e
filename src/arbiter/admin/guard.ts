/**
 * Whom the admin server answers: who shows the token, and nobody by way of somebody else's browser. A web page of strangers may
 * send requests to an address that only the browser reaches, and by DNS rebinding, where a name of theirs becomes this
 * address, may read the answers too. Pure.
 */
import { timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import type { Address } from "../../net/bind-address.ts";

/** What a request says of who asks: values of fields, null where there are none. */
export interface Asker {
  readonly host: string | null;
  readonly origin: string | null;
  readonly fetchSite: string | null;
  readonly authorization: string | null;
}

/** A web page that isn't ours has made the browser ask. */
export function isForeign({ host, origin, fetchSite }: Asker): boolean {
  if (fetchSite !== null) return fetchSite !== "same-origin" && fetchSite !== "none";
  // Fetch §3.2: `null` is of nobody, so not of our page.
  return origin !== null && origin.replace(/^https?:\/\//, "") !== host;
}

/** Where the admin server is, and by which name the machine knows itself. */
export interface Whereabouts {
  readonly address: Address;
  readonly hostname: string;
}

/**
 * Whether a browser may have come here by a name of a stranger's: all that have a dot are suspected, but those that the
 * machine and its admin_bind go by. A browser reaches no unix socket.
 */
export function mayBeRebound(host: string | null, { address, hostname }: Whereabouts): boolean {
  if (host === null || address.type !== "tcp") return false;
  const name = host.replace(/:\d*$/, "").toLowerCase();
  if (!name.includes(".") || name.endsWith(".localhost") || isIP(name) !== 0) return false;
  return name !== address.hostname.toLowerCase() && name !== hostname.toLowerCase();
}

/** Other machines may reach it, as far as the address says. */
export function isPublic(address: Address): boolean {
  if (address.type !== "tcp") return false;
  const { hostname } = address;
  return hostname !== "localhost" && hostname !== "::1" && !hostname.startsWith("127.");
}

/** @param token null: none is needed */
export function showsToken({ authorization }: Asker, token: string | null): boolean {
  if (token === null) return true;
  const [, shown] = /^Bearer +(\S+)$/i.exec(authorization ?? "") ?? [];
  return shown !== undefined && timingSafeEqual(digest(shown), digest(token));
}

/** Of equal lengths, so that the comparison tells nothing of the token's. */
function digest(token: string): Uint8Array {
  return new Bun.CryptoHasher("sha256").update(token).digest();
}

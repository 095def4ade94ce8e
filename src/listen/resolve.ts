import { isIPv4, isIPv6 } from "../net/ip-address.ts";
import { type TcpAddress, withoutZone } from "../net/bind-address.ts";

/** The numeric address to bind: v4 where the name has one, as in Gunicorn. */
export async function resolveHostname(
  address: TcpAddress,
): Promise<{ readonly hostname: string; readonly family: 4 | 6 }> {
  const { hostname, family } = address;
  if (isIPv4(hostname) || isIPv6(withoutZone(hostname))) return { hostname, family };
  // Imported when it is needed: most addresses are numeric.
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(hostname, { all: true });
  const first = found.find((entry) => entry.family === 4) ?? found[0];
  if (first === undefined) throw new Error(`${hostname} has no address`);
  return { hostname: first.address, family: first.family === 6 ? 6 : 4 };
}

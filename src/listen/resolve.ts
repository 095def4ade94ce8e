import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { TcpAddress } from "./address.ts";

/** The numeric address to bind: v4 where the name has one, as in Gunicorn. */
export async function resolveHostname(
  address: TcpAddress,
): Promise<{ readonly hostname: string; readonly family: 4 | 6 }> {
  const { hostname, family } = address;
  if (isIP(hostname) !== 0) return { hostname, family };
  const found = await lookup(hostname, { all: true });
  const first = found.find((entry) => entry.family === 4) ?? found[0];
  if (first === undefined) throw new Error(`${hostname} has no address`);
  return { hostname: first.address, family: first.family === 6 ? 6 : 4 };
}

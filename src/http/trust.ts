import { BlockList, isIPv4 } from "node:net";

/** What a dual-stack socket calls an IPv4 peer: `::ffff:10.0.0.1`, in any spelling (RFC 4291 §2.5.5.2). */
const mapped = new BlockList();
const mappedPrefix = 96;
mapped.addSubnet("::ffff:0:0", mappedPrefix, "ipv6");

const nobodyElse = (address: string | undefined): boolean => address === undefined;
const everybody = (): boolean => true;

/**
 * Whether a peer is in a list of IP addresses and networks, which the config has checked; `*` is everybody. A peer on a unix
 * socket has no address and is always trusted. An IPv4 peer is the same one in IPv4-mapped form, and no IPv6 network holds
 * it: `::/0` is all of IPv6.
 */
export function createTrust(list: readonly string[]): (address: string | undefined) => boolean {
  if (list.includes("*")) return everybody;
  if (list.length === 0) return nobodyElse;
  const networks4 = new BlockList();
  const networks6 = new BlockList();
  for (const item of list) {
    const [address = "", length] = item.split("/");
    const family = familyOf(address);
    const bits = length === undefined ? wholeAddress[family] : Number(length);
    const ofIPv4 = family === "ipv4" || (bits >= mappedPrefix && mapped.check(address, family));
    (ofIPv4 ? networks4 : networks6).addSubnet(address, bits, family);
  }
  return (address) => {
    if (address === undefined) return true;
    const family = familyOf(address);
    return family === "ipv4" || mapped.check(address, family)
      ? networks4.check(address, family)
      : networks6.check(address, family);
  };
}

const wholeAddress = { ipv4: 32, ipv6: 128 } as const;

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv4(address) ? "ipv4" : "ipv6";
}

import type { BlockList } from "node:net";
import { canonicalAddress, isIPv4 } from "./ip-address.ts";

const mappedPrefixBits = 96;

const nobodyElse = (address: string | undefined): boolean => address === undefined;
const everybody = (): boolean => true;

/**
 * Whether a peer is in a list of IP addresses and networks, which the config has checked; `*` is everybody. A peer on a
 * unix socket has no address and is always trusted. An IPv4 peer is the same one in IPv4-mapped form, and no IPv6
 * network holds it: `::/0` is all of IPv6.
 */
export function createTrust(list: readonly string[]): (address: string | undefined) => boolean {
  if (list.includes("*")) return everybody;
  if (list.length === 0) return nobodyElse;
  const addresses = new Set(list.map((item) => canonicalAddress(item)));
  const networks = list.filter((item) => item.includes("/"));
  const inNetworks = networks.length === 0 ? null : createNetworks(networks);
  return (peer) => {
    if (peer === undefined) return true;
    // The zone of a link-local peer: networks have none.
    const [text = ""] = peer.split("%", 1);
    const address = canonicalAddress(text);
    if (address === null) return false;
    return addresses.has(address) || (inNetworks !== null && inNetworks(address));
  };
}

/** A test for networks, given as ADDRESS/BITS. The address asked for is as canonicalAddress() spells it. */
function createNetworks(networks: readonly string[]): (address: string) => boolean {
  // Loaded when it is needed: see ip-address.ts.
  const net = process.getBuiltinModule("node:net");
  const lists = { ipv4: new net.BlockList(), ipv6: new net.BlockList() };
  for (const item of networks) addNetwork(lists, item);
  return (address) => {
    const family = isIPv4(address) ? "ipv4" : "ipv6";
    return lists[family].check(address, family);
  };
}

function addNetwork(lists: Record<"ipv4" | "ipv6", BlockList>, item: string): void {
  const [text = "", length] = item.split("/");
  const address = canonicalAddress(text) ?? text;
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  const bits = Number(length);
  if (isIPv4(text) || family === "ipv6") return lists[family].addSubnet(address, bits, family);
  // An IPv4-mapped network: of IPv4, unless it is wider than what is mapped.
  const ofIPv4 = bits - mappedPrefixBits;
  if (ofIPv4 >= 0) lists.ipv4.addSubnet(address, ofIPv4, "ipv4");
  else lists.ipv6.addSubnet(text, bits, "ipv6");
}

/** IP networks as text: `10.0.0.0/8`, `fe80::/10`, or one address. */
import { isIPv4, isIPv6 } from "./ip-address.ts";

/** What a text must be and isn't, to name an IP address or a network without host bits; null if it does. */
export function networkFault(text: string): string | null {
  const [address = "", prefix, ...rest] = text.split("/");
  const known = isIPv4(address) || isIPv6(address);
  if (!known || rest.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) {
    return "IP addresses, networks (10.0.0.0/8) or *";
  }
  const bits = addressBits(address);
  const length = prefix === undefined ? bits.length : Number(prefix);
  if (length > bits.length) return `a network with a prefix of at most ${bits.length}`;
  return bits.slice(length).includes("1") ? "a network without host bits" : null;
}

/** The bits of an IP address, most significant first. */
function addressBits(address: string): string {
  if (isIPv4(address)) {
    return address
      .split(".")
      .map((part) => Number(part).toString(2).padStart(8, "0"))
      .join("");
  }
  const v4 = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const words = v4
    ? address.slice(0, v4.index) +
      [v4.slice(1, 3), v4.slice(3, 5)]
        .map(([high, low]) => (Number(high) * 256 + Number(low)).toString(16))
        .join(":")
    : address;
  const [left = "", right] = words.split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const middle = Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...(right === undefined ? [] : middle), ...tail]
    .map((word) => Number.parseInt(word, 16).toString(2).padStart(16, "0"))
    .join("");
}

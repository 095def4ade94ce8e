/**
 * What a PROXY header says, once the whole header is there: the text of version 1, or the address block of version 2.
 */
import { canonicalIPv6, isIPv4, isIPv6 } from "../../net/ip-address.ts";

export interface ProxyAddress {
  readonly address: string;
  readonly family: "IPv4" | "IPv6";
  readonly port: number;
}

export interface ProxyRoute {
  readonly source: ProxyAddress;
  readonly destination: ProxyAddress;
}

/** PROXY protocol 2.1: one to five digits without leading zeros. */
const portDigits = /^(?:0|[1-9][0-9]{0,4})$/;

/** Reads a line without `PROXY ` and CRLF. Null: it names no client. */
export function decodeLine(text: string): ProxyRoute | null | "bad proxy line" {
  // PROXY protocol 2.1: the receiver MUST ignore anything between UNKNOWN and the CRLF. Gunicorn refuses the line.
  if (text === "UNKNOWN" || text.startsWith("UNKNOWN ")) return null;
  const words = text.split(" ");
  const [transport = "", from = "", to = "", fromPort = "", toPort = ""] = words;
  if (words.length !== 5 || (transport !== "TCP4" && transport !== "TCP6")) return "bad proxy line";
  const source = endOf(transport, from, fromPort);
  const destination = endOf(transport, to, toPort);
  if (source === null || destination === null) return "bad proxy line";
  return { source, destination };
}

function endOf(transport: "TCP4" | "TCP6", address: string, port: string): ProxyAddress | null {
  if (!portDigits.test(port) || Number(port) > 0xffff) return null;
  if (transport === "TCP4")
    return isIPv4(address) ? { address, family: "IPv4", port: Number(port) } : null;
  if (!isIPv6(address)) return null;
  return { address: canonicalIPv6(address), family: "IPv6", port: Number(port) };
}

const ipv4Bytes = 4;
const ipv6Bytes = 16;

/** Reads the 12 bytes of TCP over IPv4 (PROXY protocol 2.2: two addresses, two ports), or the 36 of IPv6. */
export function decodeRoute(block: Buffer): ProxyRoute {
  const family = block.length === 2 * ipv4Bytes + 4 ? "IPv4" : "IPv6";
  const size = family === "IPv4" ? ipv4Bytes : ipv6Bytes;
  const read = family === "IPv4" ? readIPv4 : readIPv6;
  const ports = 2 * size;
  return {
    source: { address: read(block, 0), family, port: block.readUInt16BE(ports) },
    destination: { address: read(block, size), family, port: block.readUInt16BE(ports + 2) },
  };
}

function readIPv4(block: Buffer, start: number): string {
  return block.subarray(start, start + ipv4Bytes).join(".");
}

function readIPv6(block: Buffer, start: number): string {
  const words: string[] = [];
  for (let at = start; at < start + ipv6Bytes; at += 2)
    words.push(block.readUInt16BE(at).toString(16));
  return canonicalIPv6(words.join(":"));
}

/**
 * IP addresses as text. Not by node:net, which takes 7 ms to load (bench: start) and brings a quarter of a worker's
 * objects with it, which every collection of garbage looks at (bench: upload).
 */
const octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const quad = new RegExp(`^${octet}(?:\\.${octet}){3}$`);
const ofIPv6 = /^[0-9A-Fa-f:.]{2,45}$/;
const mappedIPv4 = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

export function isIPv4(text: string): boolean {
  return quad.test(text);
}

/** Whether a text is an IPv6 address, without a zone (`%eth0`), which means nothing outside of its machine. */
export function isIPv6(text: string): boolean {
  // A URL would swallow tabs and line ends.
  return ofIPv6.test(text) && URL.canParse(`http://[${text}]`);
}

/** The part `HOST:PORT` of a URL: an IPv6 address stands in brackets (RFC 3986 §3.2.2). */
export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An IPv6 address as RFC 5952 spells it, so that each has one name; sockets spell it so too. */
export function canonicalIPv6(address: string): string {
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = unmap(text);
  // RFC 5952 §5: an IPv4-mapped address ends in the dotted form.
  return mapped === null ? text : `::ffff:${mapped}`;
}

/**
 * One text for each peer: its IPv4 address also for what a dual-stack socket calls `::ffff:10.0.0.1` (RFC 4291
 * §2.5.5.2), otherwise what canonicalIPv6 says. Null: not an address.
 */
export function canonicalAddress(text: string): string | null {
  if (isIPv4(text)) return text;
  if (!isIPv6(text)) return null;
  const address = new URL(`http://[${text}]`).hostname.slice(1, -1);
  return unmap(address) ?? address;
}

/** The IPv4 address in an IPv4-mapped one that a URL has spelled. */
function unmap(address: string): string | null {
  const match = mappedIPv4.exec(address);
  if (match === null) return null;
  const words = [Number.parseInt(match[1]!, 16), Number.parseInt(match[2]!, 16)];
  return words.flatMap((word) => [word >> 8, word & 0xff]).join(".");
}

/** sockaddr_in, sockaddr_in6 and sockaddr_un, to bytes and back. */
import { ptr } from "bun:ffi";
import { cString, check, library } from "../libc.ts";
import { AF_INET, AF_UNIX, onDarwin, system } from "./socket-options.ts";
import { maxPathBytes } from "./socket-path.ts";

const pathOffset = 2;

export interface TcpName {
  readonly type: "tcp";
  readonly family: 4 | 6;
  /** Numeric, as inet_ntop spells it; a v6 scope as its index, `fe80::1%2`. */
  readonly hostname: string;
  readonly port: number;
}

export interface UnixName {
  readonly type: "unix";
  /** Empty for a socket without a name; an abstract one begins with NUL. */
  readonly path: string;
}

/**
 * A sockaddr_in (16 bytes) or sockaddr_in6 (28 bytes). The hostname is numeric, and may carry a scope: `fe80::1%eth0`.
 */
export function encodeTcp(family: 4 | 6, hostname: string, port: number): Uint8Array {
  const [host = "", scope] = hostname.split("%");
  const domain = family === 6 ? system.inet6 : AF_INET;
  const bytes = emptyAddress(family === 6 ? 28 : 16, domain);
  const view = new DataView(bytes.buffer);
  view.setUint16(2, port);
  const target = ptr(bytes, family === 6 ? 8 : 4);
  const text = cString(host);
  if (library().inet_pton(domain, ptr(text), target) !== 1)
    throw new TypeError(`not a numeric v${family} address: ${hostname}`);
  if (family === 6 && scope !== undefined) view.setUint32(24, scopeIndex(scope), true);
  return bytes;
}

/** A sockaddr_un as long as its path needs. An abstract name begins with NUL, and no NUL ends it. */
export function encodeUnix(path: string): Uint8Array {
  const text = path.startsWith("\0") ? new TextEncoder().encode(path) : cString(path);
  if (text.length - 1 > maxPathBytes)
    throw new TypeError(`${path}: longer than the ${maxPathBytes} bytes of a unix socket's path`);
  const bytes = emptyAddress(pathOffset + text.length, AF_UNIX);
  bytes.set(text, pathOffset);
  return bytes;
}

export function encodeName(name: TcpName | UnixName): Uint8Array {
  return name.type === "unix"
    ? encodeUnix(name.path)
    : encodeTcp(name.family, name.hostname, name.port);
}

/** The address family of an encoded address. */
export function domainOf(address: Uint8Array): number {
  return (onDarwin ? address[1] : address[0]) ?? 0;
}

/** What a socket is bound to; null for a family that isn't TCP's or unix. */
export function nameOf(fd: number): TcpName | UnixName | null {
  // The longest is sockaddr_un.
  const bytes = new Uint8Array(128);
  const length = new Uint32Array([bytes.byteLength]);
  check(library().getsockname(fd, ptr(bytes), ptr(length)), "getsockname");
  return decode(bytes.subarray(0, length[0]));
}

/** Two spellings of one numeric address become the same text. */
export function canonicalHostname(family: 4 | 6, hostname: string): string {
  const name = decode(encodeTcp(family, hostname, 0));
  return name?.type === "tcp" ? name.hostname : hostname;
}

function decode(bytes: Uint8Array): TcpName | UnixName | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const domain = domainOf(bytes);
  if (domain === AF_UNIX) return { type: "unix", path: decodePath(bytes.subarray(pathOffset)) };
  if (domain === AF_INET) {
    const hostname = bytes.subarray(4, 8).join(".");
    return { type: "tcp", family: 4, hostname, port: view.getUint16(2) };
  }
  if (domain !== system.inet6) return null;
  const scope = view.getUint32(24, true);
  const hostname = v6Text(bytes.subarray(8, 24)) + (scope === 0 ? "" : `%${scope}`);
  return { type: "tcp", family: 6, hostname, port: view.getUint16(2) };
}

function decodePath(bytes: Uint8Array): string {
  // An abstract name has no end but the address's own.
  const end = bytes[0] === 0 ? -1 : bytes.indexOf(0);
  const abstract = bytes.length > 1 && bytes[0] === 0 && !onDarwin;
  if (bytes[0] === 0 && !abstract) return "";
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end));
}

function v6Text(address: Uint8Array): string {
  const source = address.slice();
  const text = new Uint8Array(46);
  library().inet_ntop(system.inet6, ptr(source), ptr(text), text.byteLength);
  return new TextDecoder().decode(text.subarray(0, text.indexOf(0)));
}

function emptyAddress(size: number, domain: number): Uint8Array {
  const bytes = new Uint8Array(size);
  if (onDarwin) {
    bytes[0] = size;
    bytes[1] = domain;
  } else {
    new DataView(bytes.buffer).setUint16(0, domain, true);
  }
  return bytes;
}

function scopeIndex(scope: string): number {
  if (/^\d+$/.test(scope)) return Number(scope);
  const name = cString(scope);
  return library().if_nametoindex(ptr(name));
}

/** The addresses of `bind`: how they are written, and how messages name them. */
import { resolve } from "node:path";
import { ConfigError } from "../api/errors.ts";
import { maxPathBytes } from "../os/sockets/socket-path.ts";
import { isIPv6 } from "./ip-address.ts";

interface AnyAddress {
  /** Connections to it begin with a TLS handshake. */
  readonly secure: boolean;
}

/** A hostname that isn't numeric is looked up when the socket is opened. */
export interface TcpAddress extends AnyAddress {
  readonly type: "tcp";
  /** The host in lower case, without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** 6 only for a numeric v6 hostname, as in Gunicorn. */
  readonly family: 4 | 6;
}

export interface UnixAddress extends AnyAddress {
  readonly type: "unix";
  /** The absolute path, or an abstract name, which begins with NUL. */
  readonly path: string;
  /** The address as it was written, for log lines. */
  readonly text: string;
}

/** A listening socket that the process has inherited. */
export interface FdAddress extends AnyAddress {
  readonly type: "fd";
  readonly fd: number;
}

/** One value of `bind`. */
export type Address = TcpAddress | UnixAddress | FdAddress;

const defaultPort = 8000;
const anyV4 = "0.0.0.0";
const firstFreeFd = 3;

/** The schemes of TCP addresses, and whether they say that it is TLS. */
const schemes: Readonly<Record<string, boolean | null>> = { tcp: null, http: false, https: true };

/**
 * Reads HOST, HOST:PORT, :PORT, [V6], [V6]:PORT or nothing, each with or without `tcp://`, `http://` or `https://`,
 * unix:PATH, unix:@NAME and fd://N. Throws ConfigError for the rest; the message doesn't name the setting, as only the
 * caller knows it.
 * @param folder what a relative path starts from: the setting chdir
 * @param secure whether an address is TLS that doesn't say it (secure-addresses.ts)
 */
export function parseAddress(text: string, folder: string, secure = false): Address {
  if (/^unix:/i.test(text)) return parseUnix(text, folder, secure);
  if (/^fd:\/\//i.test(text)) return parseFd(text, secure);
  const [, scheme = "tcp"] = /^([a-z]+):\/\//i.exec(text) ?? [];
  const says = schemes[scheme.toLowerCase()];
  if (says === undefined)
    throw new ConfigError(`'${text}' is not a valid address: ${scheme}:// is not known here`);
  return parseTcp(text, text.replace(/^[a-z]+:\/\//i, ""), says ?? secure);
}

function parseTcp(text: string, netloc: string, secure: boolean): TcpAddress {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(netloc);
  if (bracketed !== null) {
    const hostname = (bracketed[1] ?? "").toLowerCase();
    if (!isIPv6(withoutZone(hostname)))
      throw new ConfigError(`'${hostname}' is not a valid IPv6 address`);
    return { type: "tcp", hostname, port: parsePort(bracketed[2]), family: 6, secure };
  }
  const [hostname = "", port, ...rest] = netloc.split(":");
  if (rest.length > 0)
    throw new ConfigError(
      `'${text}' is not a valid address: ${isIPv6(netloc) ? `an IPv6 address stands in brackets, [${netloc}]:PORT` : "HOST:PORT has one colon"}`,
    );
  // libc would read it as a v4 address, 0.0.31.64.
  if (/^\d+$/.test(hostname))
    throw new ConfigError(`'${text}' is not a valid address: a port alone is written :${hostname}`);
  if (/[\s/[\]@?#]/.test(hostname)) throw new ConfigError(`'${text}' is not a valid address`);
  return {
    type: "tcp",
    hostname: hostname.toLowerCase() || anyV4,
    port: parsePort(port),
    family: 4,
    secure,
  };
}

/** Whether one socket is for both, plain or TLS. */
export function sameAddress(one: Address, other: Address): boolean {
  if (one.type === "unix") return other.type === "unix" && one.path === other.path;
  if (one.type === "fd") return other.type === "fd" && one.fd === other.fd;
  return (
    other.type === "tcp" &&
    one.hostname === other.hostname &&
    one.port === other.port &&
    one.family === other.family
  );
}

/** An address as Gunicorn's messages about opening sockets name it: `('127.0.0.1', 8000)`, or the path. */
export function formatTuple(address: Address): string {
  if (address.type === "unix") return address.text;
  if (address.type === "fd") return `fd://${address.fd}`;
  return `('${address.hostname}', ${address.port})`;
}

function parseUnix(text: string, folder: string, secure: boolean): UnixAddress {
  const written = text.replace(/^unix:(\/\/)?/i, "");
  if (written === "" || written.includes("\0"))
    throw new ConfigError(`'${text}' is not a valid address: unix: needs the path of a file`);
  if (written.startsWith("@")) return parseAbstract(text, written, secure);
  const path = resolve(folder, written);
  const bytes = Buffer.byteLength(path);
  if (bytes > maxPathBytes)
    throw new ConfigError(
      `'${text}' is not a valid address: the path of a unix socket has at most ${maxPathBytes} bytes, ${path} has ${bytes}`,
    );
  return { type: "unix", path, text: written, secure };
}

/** `@name`, as `ss` and systemd write it. A file of that name is `./@name`. */
function parseAbstract(text: string, written: string, secure: boolean): UnixAddress {
  if (process.platform !== "linux")
    throw new ConfigError(`'${text}' is not a valid address: only Linux has abstract sockets`);
  const name = written.slice(1);
  if (name === "") throw new ConfigError(`'${text}' is not a valid address: unix:@ needs a name`);
  const bytes = Buffer.byteLength(name);
  if (bytes > maxPathBytes)
    throw new ConfigError(
      `'${text}' is not a valid address: the name of an abstract socket has at most ${maxPathBytes} bytes, ${name} has ${bytes}`,
    );
  return { type: "unix", path: `\0${name}`, text: written, secure };
}

function parseFd(text: string, secure: boolean): FdAddress {
  const number = text.slice("fd://".length);
  const fd = /^\d{1,9}$/.test(number) ? Number(number) : Number.NaN;
  if (Number.isNaN(fd)) throw new ConfigError(`'${number}' is not a valid file descriptor.`);
  if (fd < firstFreeFd)
    throw new ConfigError(`'${text}' is not a valid address: 0 to 2 are the standard streams`);
  return { type: "fd", fd, secure };
}

function parsePort(text: string | undefined): number {
  if (text === undefined) return defaultPort;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  // Written so that NaN fails too.
  if (!(port <= 65535)) throw new ConfigError(`'${text}' is not a valid port number.`);
  return port;
}

/** An address without its zone, `fe80::1` of `fe80::1%eth0`: a link-local address names its interface. */
export function withoutZone(address: string): string {
  return address.split("%", 1)[0] as string;
}

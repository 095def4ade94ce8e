import { isIPv6 } from "node:net";
import { ConfigError } from "../config/errors.ts";

/** One value of `bind`. A hostname that isn't numeric is looked up when the socket is opened. */
export interface TcpAddress {
  readonly type: "tcp";
  /** Lower case, without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** 6 only for a numeric v6 hostname, as in Gunicorn. */
  readonly family: 4 | 6;
}

export type Address = TcpAddress;

const defaultPort = 8000;
const anyV4 = "0.0.0.0";

/**
 * Reads HOST, HOST:PORT, :PORT, [V6], [V6]:PORT or nothing, each with or without `tcp://`. Throws
 * ConfigError for the rest; the message doesn't name the setting, as only the caller knows it.
 */
export function parseAddress(text: string): Address {
  if (/^(unix:|fd:\/\/)/i.test(text)) throw new ConfigError(`${text}: not supported yet`);
  const [, scheme = "tcp"] = /^([a-z]+):\/\//i.exec(text) ?? [];
  if (scheme.toLowerCase() !== "tcp")
    throw new ConfigError(`'${text}' is not a valid address: ${scheme}:// is not known here`);
  const netloc = text.replace(/^tcp:\/\//i, "");
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(netloc);
  if (bracketed !== null) {
    const hostname = (bracketed[1] ?? "").toLowerCase();
    if (!isIPv6(hostname)) throw new ConfigError(`'${hostname}' is not a valid IPv6 address`);
    return { type: "tcp", hostname, port: parsePort(bracketed[2]), family: 6 };
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
  };
}

/** As it stands in the log: `http://127.0.0.1:8000`, `http://[::1]:8000`. */
export function formatAddress(address: {
  readonly hostname: string;
  readonly port: number;
}): string {
  const { hostname, port } = address;
  return `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** As Gunicorn's messages about opening sockets name an address: `('127.0.0.1', 8000)`. */
export function formatTuple(address: { readonly hostname: string; readonly port: number }): string {
  return `('${address.hostname}', ${address.port})`;
}

function parsePort(text: string | undefined): number {
  if (text === undefined) return defaultPort;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  // Written so that NaN fails too.
  if (!(port <= 65535)) throw new ConfigError(`'${text}' is not a valid port number.`);
  return port;
}

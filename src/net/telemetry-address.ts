/** Where syslog and statsD listen, as the settings say it: config refuses what isn't an address, log opens what is. */
import { ConfigError } from "../api/errors.ts";
import { maxPathBytes } from "../os/sockets/socket-path.ts";
import { isIPv4, isIPv6 } from "./ip-address.ts";

export interface InternetAddress {
  readonly type: "udp" | "tcp";
  /** A name, or a numeric address without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface UnixAddress {
  readonly type: "unix";
  /** An abstract name begins with NUL. */
  readonly path: string;
  /** `any`: datagrams, or a stream if that is what listens at the path. */
  readonly socket: "datagram" | "stream" | "any";
}

export type SyslogAddress = (InternetAddress | UnixAddress) & {
  readonly form: "gunicorn" | "rfc5424";
};

export type StatsdAddress = (InternetAddress & { readonly type: "udp" }) | UnixAddress;

const syslogPort = 514;
const statsdPort = 8125;

/**
 * Throws ConfigError for anything but `udp://HOST:PORT`, `tcp://HOST:PORT` and `unix://PATH`, with options behind a
 * `#`.
 */
export function parseSyslogAddress(text: string): SyslogAddress {
  const [, scheme = "", place = "", options] =
    /^(udp|tcp|unix):\/\/([^#]*)(?:#(.*))?$/s.exec(text) ?? [];
  if (scheme === "" || (scheme === "unix" && (place === "" || place === "@"))) {
    const forms = "udp://HOST:PORT, tcp://HOST:PORT or unix://PATH";
    throw new ConfigError(`invalid syslog address '${text}': must be ${forms}`);
  }
  const words = options?.split(",") ?? [];
  const wrong = words.find((word) => !["rfc5424", "dgram", "stream"].includes(word));
  if (wrong !== undefined) {
    throw new ConfigError(
      `invalid syslog address '${text}': #${wrong} must be #rfc5424, or #dgram or #stream for unix, or two of them with a comma`,
    );
  }
  const form = words.includes("rfc5424") ? "rfc5424" : "gunicorn";
  const datagram = words.includes("dgram");
  const stream = words.includes("stream");
  if (scheme === "unix") {
    if (datagram && stream)
      throw new ConfigError(
        `invalid syslog address '${text}': #dgram and #stream exclude each other`,
      );
    const socket = datagram ? "datagram" : stream ? "stream" : "any";
    return { type: "unix", path: socketPath(place, `syslog address '${text}'`), socket, form };
  }
  if (datagram || stream)
    throw new ConfigError(
      `invalid syslog address '${text}': #dgram and #stream are for unix://PATH`,
    );
  const { host, port } = parsePlace(place, syslogPort) ?? invalid(text);
  return { type: scheme === "udp" ? "udp" : "tcp", host, port, form };
}

/** Throws ConfigError for anything but `HOST`, `HOST:PORT`, `[v6]:PORT` and `unix://PATH`. */
export function parseStatsdAddress(text: string): StatsdAddress {
  const [, path] = /^unix:(?:\/\/)?(?!(?:\/\/)?@?$)(.+)$/s.exec(text) ?? [];
  // Gunicorn: a host may be named unix.
  if (path !== undefined && !/^unix:\d+$/.test(text)) {
    return {
      type: "unix",
      path: socketPath(path, `statsD address '${text}'`),
      socket: "datagram",
    };
  }
  const place = text === "" ? null : parsePlace(text, statsdPort);
  if (place === null) throw new ConfigError("Value must be one of ('host:port', 'unix://PATH')");
  return { type: "udp", ...place };
}

function invalid(text: string): never {
  throw new ConfigError(
    `invalid syslog address '${text}': must have a host, and a port from 1 to 65535`,
  );
}

/** `@name` as `ss` and systemd write the name of an abstract socket. */
function socketPath(text: string, what: string): string {
  // No NUL ends an abstract name, so that it may be longer by one.
  const isAbstract = text.startsWith("@");
  if (Buffer.byteLength(text) > maxPathBytes + (isAbstract ? 1 : 0)) {
    throw new ConfigError(
      `invalid ${what}: its path is longer than the ${maxPathBytes} bytes of a unix socket's`,
    );
  }
  return isAbstract ? `\0${text.slice(1)}` : text;
}

/** Null for what isn't a host with or without a port. No host is this machine. */
function parsePlace(text: string, defaultPort: number): { host: string; port: number } | null {
  const found = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::([0-9]{1,5}))?$/.exec(text);
  if (found === null) return null;
  const [, bracketed, name = "", digits] = found;
  if (bracketed === undefined && !/^[\w.-]*$/.test(name)) return null;
  if (bracketed !== undefined && !isIPv6(bracketed.split("%")[0] ?? "")) return null;
  // Digits and dots alone were meant as an address, and would be looked up as a name.
  if (/^[0-9.]+$/.test(name) && !isIPv4(name)) return null;
  const port = digits === undefined ? defaultPort : Number(digits);
  if (port < 1 || port > 65_535) return null;
  return { host: bracketed ?? (name === "" ? "localhost" : name.toLowerCase()), port };
}

/** Syslog's words for who speaks, by number (RFC 5424 §6.2.1). */
export const syslogFacilities = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  security: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const;

export type SyslogFacility = keyof typeof syslogFacilities;

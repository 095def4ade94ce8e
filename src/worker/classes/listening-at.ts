/** What apps are told of the sockets that they are served on. */
import type { Listening } from "../../app/captured-server.ts";
import type { BoundTo, ListeningSocket } from "../../api/serving.ts";
import { joinHostPort } from "../../net/ip-address.ts";

/** What Bun.serve's own Server says of the same socket. */
export function listeningAt({
  bound,
  secure,
}: Pick<ListeningSocket, "bound" | "secure">): Listening {
  const protocol = secure ? "https" : "http";
  if (bound.type === "unix") {
    const { path } = bound;
    const url = path.startsWith("\0") ? `abstract://${path.slice(1)}` : `unix://${path}`;
    return { url, protocol, address: path };
  }
  const { hostname, port } = bound;
  const family = hostname.includes(":") ? "IPv6" : "IPv4";
  const url = `${protocol}://${authorityOf(bound)}`;
  return { url, protocol, address: { address: hostname, family, port } };
}

/** The authority in the URL of a request without Host. */
export function authorityOf(bound: BoundTo): string {
  if (bound.type === "unix") return "localhost";
  return joinHostPort(bound.hostname, bound.port);
}

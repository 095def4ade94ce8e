/** What apps are told of the sockets that they are served on. */
import type { Listening } from "../../app/captured-server.ts";
import type { BoundTo } from "../../api/serving.ts";
import { joinHostPort } from "../../net/ip-address.ts";

/** What Bun.serve's own Server says of the same socket. */
export function listeningAt(bound: BoundTo): Listening {
  if (bound.type === "unix") {
    const { path } = bound;
    const url = path.startsWith("\0") ? `abstract://${path.slice(1)}` : `unix://${path}`;
    return { url, address: path };
  }
  const { hostname, port } = bound;
  const family = hostname.includes(":") ? "IPv6" : "IPv4";
  return { url: `http://${authorityOf(bound)}`, address: { address: hostname, family, port } };
}

/** The authority in the URL of a request without Host. */
export function authorityOf(bound: BoundTo): string {
  if (bound.type === "unix") return "localhost";
  return joinHostPort(bound.hostname, bound.port);
}

/** The opening handshake of a websocket, as the server has to read it (RFC 6455 §4.2.1). */
import type { HandshakeErrorName } from "../errors.ts";
import { connectionUpgrade } from "../message/keep-alive.ts";
import { allValues } from "../syntax/find-field.ts";
import type { Head } from "../syntax/head.ts";

/** 16 bytes in base64: the last four bits of the last character say nothing. */
const key = /^[A-Za-z0-9+/]{22}==$/;
/** RFC 6455 §4.3: 0 to 255, without leading zeros. */
const version = /^(?:[0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])$/;

/** Whether the client asks to change the protocol of this connection; RFC 9110 §7.8: never by HTTP/1.0. */
export function asksForUpgrade(head: Head): boolean {
  return (
    head.upgradeField !== -1 &&
    head.versionMinor >= 1 &&
    (head.connection & connectionUpgrade) !== 0
  );
}

/** Whether a websocket is among the protocols that the client offers, by whatever method and version. */
export function offersWebsocket(head: Head): boolean {
  if (head.upgradeField === -1) return false;
  const offered = allValues(head, "upgrade")!.split(",");
  return offered.some((name) => name.trim().toLowerCase() === "websocket");
}

/** What is wrong with the handshake of a head that offers a websocket; null for a valid one. Host is the parser's. */
export function judgeHandshake(head: Head): HandshakeErrorName | null {
  // RFC 6455 §4.2.1 (1): a GET request of HTTP/1.1 or higher.
  if (head.method !== "GET") return "websocket without get";
  if (head.versionMinor < 1) return "websocket on http/1.0";
  // RFC 6455 §4.1: frames stand right behind the head.
  if (head.contentLength > 0 || head.transferCoding !== "none") return "websocket with a body";
  // RFC 6455 §4.2.1 (4).
  if (!asksForUpgrade(head)) return "websocket without connection option";
  // RFC 6455 §4.2.1 (5), and §11.3.1: it MUST NOT stand twice.
  if (!key.test(allValues(head, "sec-websocket-key") ?? "")) return "bad websocket key";
  // RFC 6455 §4.2.1 (6); §4.4: another one is answered with the one that we know.
  const given = allValues(head, "sec-websocket-version") ?? "";
  if (!version.test(given)) return "bad websocket version";
  return given === "13" ? null : "unsupported websocket version";
}

/** What a valid handshake says of the websocket; null where it doesn't. Of several fields the values are one list. */
export function readOffer(head: Head): {
  readonly key: string;
  readonly protocols: string | null;
  readonly extensions: string | null;
} {
  return {
    key: allValues(head, "sec-websocket-key") ?? "",
    protocols: allValues(head, "sec-websocket-protocol"),
    extensions: allValues(head, "sec-websocket-extensions"),
  };
}

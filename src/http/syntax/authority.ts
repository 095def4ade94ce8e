/** Hosts and ports, as targets and Host name them (RFC 3986 §3.2). */
import { isIPv6 } from "../../net/ip-address.ts";
import {
  colon,
  leftBracket,
  percent,
  rightBracket,
  hexValue,
  isDigit,
  isHostByte,
  latin1,
} from "../bytes.ts";

/**
 * Whether the bytes are `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2.2). Stricter than the grammar in three
 * places: no empty host with a port (RFC 9110 §4.2.1), no IPvFuture, no port over 65535. No userinfo: RFC 9110 §4.2.4.
 */
export function isAuthority(bytes: Buffer, start: number, end: number): boolean {
  const hostEnd = skipHost(bytes, start, end);
  if (hostEnd === start) return false;
  return hostEnd === end || (bytes[hostEnd] === colon && readPort(bytes, hostEnd + 1, end) !== -1);
}

/**
 * Whether the bytes are `uri-host ":" port`, as CONNECT needs. RFC 9110 §9.3.6: an empty or invalid port MUST be
 * rejected.
 */
export function isHostAndPort(bytes: Buffer, start: number, end: number): boolean {
  const hostEnd = skipHost(bytes, start, end);
  return hostEnd > start && bytes[hostEnd] === colon && readPort(bytes, hostEnd + 1, end) > 0;
}

/** Where the host ends; `start` when there is none. */
function skipHost(bytes: Buffer, start: number, end: number): number {
  if (bytes[start] === leftBracket) return skipLiteral(bytes, start, end);
  let at = start;
  while (at < end) {
    const byte = bytes[at]!;
    if (isHostByte[byte] === 1) {
      at++;
    } else if (byte === percent) {
      if (at + 2 >= end) return start;
      if (hexValue[bytes[at + 1]!] === 255 || hexValue[bytes[at + 2]!] === 255) return start;
      at += 3;
    } else {
      break;
    }
  }
  return at;
}

function skipLiteral(bytes: Buffer, start: number, end: number): number {
  // The longest IPv6 text has 45 characters: an unclosed bracket costs no more than that.
  const stop = Math.min(end, start + 47);
  let close = start + 1;
  while (close < stop && bytes[close] !== rightBracket) close++;
  if (close === stop) return start;
  return isIPv6(latin1(bytes, start + 1, close)) ? close + 1 : start;
}

/** The port's number; 0 when it is empty, -1 when it isn't one. */
function readPort(bytes: Buffer, start: number, end: number): number {
  let port = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (!isDigit(byte)) return -1;
    port = port * 10 + (byte - 0x30);
    if (port > 65_535) return -1;
  }
  return port;
}

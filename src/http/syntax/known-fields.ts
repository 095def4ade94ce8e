/**
 * The fields that the parser itself acts on, and what it makes of their values: each rule is a function of the message
 * room.
 */
import { equalsWord, word } from "../bytes.ts";
import type { ParseErrorName } from "../errors.ts";
import { readContentLength, readTransferCoding } from "../message/framing.ts";
import { readConnection } from "../message/keep-alive.ts";
import { readExpectation } from "../message/policy.ts";
import { isAuthority } from "./authority.ts";
import type { Head } from "./head.ts";

const hostName = word("host");
const expectName = word("expect");
const upgradeName = word("upgrade");
const connectionName = word("connection");
const contentTypeName = word("content-type");
const contentLengthName = word("content-length");
const transferEncodingName = word("transfer-encoding");

/**
 * Lengths of the names of these fields, one bit each, by a name's first byte. Every other field costs one test:
 * User-Agent, too, which is as long as Connection.
 */
export const knownLengths = new Int32Array(256);
for (const name of [
  hostName,
  expectName,
  upgradeName,
  connectionName,
  contentTypeName,
  contentLengthName,
  transferEncodingName,
]) {
  const initial = name[0]!;
  for (const byte of [initial, initial & ~0x20]) knownLengths[byte]! |= 1 << name.length;
}

/** Takes in a complete field, number `index` of the list, if the head's meaning depends on it. */
export function readKnownField(
  head: Head,
  index: number,
  bytes: Buffer,
  nameStart: number,
  nameEnd: number,
  start: number,
  end: number,
): ParseErrorName | null {
  switch (nameEnd - nameStart) {
    case hostName.length:
      if (!equalsWord(bytes, nameStart, nameEnd, hostName)) return null;
      // RFC 9112 §3.2: two Host lines, or one that isn't a host, MUST be answered with 400; an empty one is valid.
      if (head.hostField !== -1) return "repeated host";
      if (start < end && !isAuthority(bytes, start, end)) return "bad host";
      head.hostField = index;
      break;
    case expectName.length:
      if (!equalsWord(bytes, nameStart, nameEnd, expectName)) return null;
      head.expectation = readExpectation(head.expectation, bytes, start, end);
      break;
    case upgradeName.length:
      if (!equalsWord(bytes, nameStart, nameEnd, upgradeName)) return null;
      if (head.upgradeField === -1) head.upgradeField = index;
      break;
    case connectionName.length:
      if (!equalsWord(bytes, nameStart, nameEnd, connectionName)) return null;
      // RFC 9110 §5.3: several lines are one list.
      head.connection |= readConnection(bytes, start, end);
      break;
    case contentTypeName.length:
      if (!equalsWord(bytes, nameStart, nameEnd, contentTypeName)) return null;
      // RFC 9110 §8.3, §5.3: not a list, so it can't be repeated.
      if (head.contentTypeField !== -1) return "repeated content-type";
      head.contentTypeField = index;
      break;
    case contentLengthName.length:
      if (!equalsWord(bytes, nameStart, nameEnd, contentLengthName)) return null;
      if (head.contentLength !== -1) return "repeated content-length";
      head.contentLength = readContentLength(bytes, start, end);
      if (head.contentLength === -1) return "bad content-length";
      break;
    case transferEncodingName.length:
      if (!equalsWord(bytes, nameStart, nameEnd, transferEncodingName)) return null;
      head.transferCoding = readTransferCoding(head.transferCoding, bytes, start, end);
      break;
    default:
      return null;
  }
  return null;
}

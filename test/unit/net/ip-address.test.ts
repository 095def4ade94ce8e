import { expect, test } from "bun:test";
import * as net from "node:net";
import { canonicalAddress, canonicalIPv6, isIPv4, isIPv6 } from "../../../src/net/ip-address.ts";

/** Everything that looks a little like an address: node:net is the other opinion. */
const texts = [
  ["0.0.0.0", "127.0.0.1", "255.255.255.255", "256.0.0.1", "1.2.3", "1.2.3.4.", ".1.2.3.4"],
  ["1.2.3.4.5", "01.2.3.4", "1.2.3.04", "1.2.3.a", " 1.2.3.4", "1.2.3.4\n", "1..2.3", "0x1.2.3.4"],
  ["::", "::1", "1::", ":::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::g"],
  ["2001:DB8::A", "::ffff:1.2.3.4", "::ffff:1.2.3", "::ffff:1.2.3.256", "1.2.3.4::", "::12345"],
  [
    "1::2::3",
    "::1\t",
    "::1\n",
    "",
    ":",
    "localhost",
    "::1]",
    "[::1]",
    "::/0",
    "1:2:3:4:5:6:1.2.3.4",
  ],
].flat();

test.each(texts)("%j is an address of either family when node:net says so", (text) => {
  expect([isIPv4(text), isIPv6(text)]).toEqual([net.isIPv4(text), net.isIPv6(text)]);
});

test("a zone is no part of an address", () => {
  expect(isIPv6("fe80::1%eth0")).toBe(false);
});

test.each([
  ["1.2.3.4", "1.2.3.4"],
  ["::ffff:1.2.3.4", "1.2.3.4"],
  ["0:0:0:0:0:FFFF:0102:0304", "1.2.3.4"],
  ["2001:0DB8:0::A", "2001:db8::a"],
  ["localhost", null],
  ["", null],
])("canonicalAddress(%j) is %j", (text, expected) => {
  expect(canonicalAddress(text)).toBe(expected);
});

test.each([
  ["0:0:0:0:0:0:0:1", "::1"],
  ["::FFFF:102:304", "::ffff:1.2.3.4"],
])("canonicalIPv6(%j) is %j", (text, expected) => {
  expect(canonicalIPv6(text)).toBe(expected);
});

import { expect, test } from "bun:test";
import { ConfigError } from "../../../src/config/errors.ts";
import { formatAddress, formatTuple, parseAddress } from "../../../src/listen/address.ts";

const accepted: [text: string, hostname: string, port: number, family: 4 | 6][] = [
  ["127.0.0.1:8000", "127.0.0.1", 8000, 4],
  ["127.0.0.1", "127.0.0.1", 8000, 4],
  [":9000", "0.0.0.0", 9000, 4],
  ["", "0.0.0.0", 8000, 4],
  ["localhost:0", "localhost", 0, 4],
  ["Example.COM:80", "example.com", 80, 4],
  ["[::1]:8001", "::1", 8001, 6],
  ["[::]", "::", 8000, 6],
  ["[FE80::1%eth0]:80", "fe80::1%eth0", 80, 6],
  ["tcp://127.0.0.1:8000", "127.0.0.1", 8000, 4],
  ["tcp://[::1]:8000", "::1", 8000, 6],
  ["TCP://localhost", "localhost", 8000, 4],
  [":65535", "0.0.0.0", 65535, 4],
];

test.each(accepted)("parseAddress() reads %p", (text, hostname, port, family) => {
  expect(parseAddress(text)).toEqual({ type: "tcp", hostname, port, family });
});

const refused: [text: string, message: string][] = [
  ["127.0.0.1:http", "'http' is not a valid port number."],
  [":", "'' is not a valid port number."],
  [":-1", "'-1' is not a valid port number."],
  [":65536", "'65536' is not a valid port number."],
  ["[::1]:x", "'x' is not a valid port number."],
  ["a:1:2", "'a:1:2' is not a valid address: HOST:PORT has one colon"],
  ["::1", "'::1' is not a valid address: an IPv6 address stands in brackets, [::1]:PORT"],
  ["[localhost]:80", "'localhost' is not a valid IPv6 address"],
  ["[]:80", "'' is not a valid IPv6 address"],
  ["[::1", "'[::1' is not a valid address: HOST:PORT has one colon"],
  ["8000", "'8000' is not a valid address: a port alone is written :8000"],
  ["http://localhost", "'http://localhost' is not a valid address: http:// is not known here"],
  ["tcp://a/b", "'tcp://a/b' is not a valid address"],
  ["a b:80", "'a b:80' is not a valid address"],
  ["unix:/tmp/app.sock", "unix:/tmp/app.sock: not supported yet"],
  ["unix:///tmp/app.sock", "unix:///tmp/app.sock: not supported yet"],
  ["fd://3", "fd://3: not supported yet"],
];

test.each(refused)("parseAddress() refuses %p", (text, message) => {
  expect(() => parseAddress(text)).toThrow(new ConfigError(message));
});

test("formatAddress() brackets v6", () => {
  expect(formatAddress({ hostname: "127.0.0.1", port: 80 })).toBe("http://127.0.0.1:80");
  expect(formatAddress({ hostname: "::1", port: 8000 })).toBe("http://[::1]:8000");
});

test("formatTuple() is Python's", () => {
  expect(formatTuple({ hostname: "127.0.0.1", port: 8000 })).toBe("('127.0.0.1', 8000)");
});

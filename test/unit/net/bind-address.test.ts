import { expect, test } from "bun:test";
import { ConfigError } from "../../../src/api/errors.ts";
import { formatTuple, parseAddress, sameAddress } from "../../../src/net/bind-address.ts";
import { maxPathBytes } from "../../../src/os/sockets/socket-path.ts";

const plain = { secure: false };

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
  ["http://127.0.0.1:80", "127.0.0.1", 80, 4],
  [":65535", "0.0.0.0", 65535, 4],
];

test.each(accepted)("parseAddress() reads %p", (text, hostname, port, family) => {
  expect(parseAddress(text, "/srv")).toEqual({ type: "tcp", hostname, port, family, ...plain });
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
  ["ftp://localhost", "'ftp://localhost' is not a valid address: ftp:// is not known here"],
  ["https://localhost/", "'https://localhost/' is not a valid address"],
  ["https://:x", "'x' is not a valid port number."],
  ["http://8000", "'http://8000' is not a valid address: a port alone is written :8000"],
  ["https://unix:a", "'a' is not a valid port number."],
  ["tcp://a/b", "'tcp://a/b' is not a valid address"],
  ["a b:80", "'a b:80' is not a valid address"],
  ["unix:", "'unix:' is not a valid address: unix: needs the path of a file"],
  ["unix://", "'unix://' is not a valid address: unix: needs the path of a file"],
  ["unix:@", "'unix:@' is not a valid address: unix:@ needs a name"],
  [
    `unix:@${"x".repeat(maxPathBytes + 1)}`,
    `'unix:@${"x".repeat(maxPathBytes + 1)}' is not a valid address: the name of an abstract socket has at most ${maxPathBytes} bytes, ${"x".repeat(maxPathBytes + 1)} has ${maxPathBytes + 1}`,
  ],
  ["unix:\0name", "'unix:\0name' is not a valid address: unix: needs the path of a file"],
  [
    `unix:/${"é".repeat(60)}`,
    `'unix:/${"é".repeat(60)}' is not a valid address: the path of a unix socket has at most ${maxPathBytes} bytes, /${"é".repeat(60)} has 121`,
  ],
  ["fd://", "'' is not a valid file descriptor."],
  ["fd://x", "'x' is not a valid file descriptor."],
  ["fd://-1", "'-1' is not a valid file descriptor."],
  ["fd://2", "'fd://2' is not a valid address: 0 to 2 are the standard streams"],
];

test.each(refused)("parseAddress() refuses %p", (text, message) => {
  expect(() => parseAddress(text, "/srv")).toThrow(new ConfigError(message));
});

const unix: [text: string, path: string, written: string][] = [
  ["unix:/tmp/app.sock", "/tmp/app.sock", "/tmp/app.sock"],
  ["unix:///tmp/app.sock", "/tmp/app.sock", "/tmp/app.sock"],
  ["unix:app.sock", "/srv/app.sock", "app.sock"],
  ["unix:@app", "\0app", "@app"],
  ["unix://@app/a b", "\0app/a b", "@app/a b"],
  [
    `unix:@${"x".repeat(maxPathBytes)}`,
    `\0${"x".repeat(maxPathBytes)}`,
    `@${"x".repeat(maxPathBytes)}`,
  ],
  ["unix:./@app", "/srv/@app", "./@app"],
  ["unix://run/app.sock", "/srv/run/app.sock", "run/app.sock"],
  ["unix:/tmp/../run/./App Sock", "/run/App Sock", "/tmp/../run/./App Sock"],
  [
    `unix:/${"x".repeat(maxPathBytes - 1)}`,
    `/${"x".repeat(maxPathBytes - 1)}`,
    `/${"x".repeat(maxPathBytes - 1)}`,
  ],
];

test.each(unix)("parseAddress() reads %p", (text, path, written) => {
  expect(parseAddress(text, "/srv")).toEqual({ type: "unix", path, text: written, ...plain });
});

test("parseAddress() reads the number of an inherited descriptor", () => {
  expect(parseAddress("fd://3", "/srv")).toEqual({ type: "fd", fd: 3, ...plain });
});

test("sameAddress() sees through spellings of a path, and keeps kinds apart", () => {
  const same = (one: string, other: string) =>
    sameAddress(parseAddress(one, "/srv"), parseAddress(other, "/srv"));
  expect(same("unix:a", "unix:///srv/./a")).toBe(true);
  expect(same("fd://3", "fd://3")).toBe(true);
  expect(same("tcp://LOCALHOST:80", "localhost:80")).toBe(true);
  for (const [one, other] of [
    ["unix:a", "unix:b"],
    ["fd://3", "fd://4"],
    ["unix:3", "fd://3"],
    ["fd://3", "unix:3"],
    ["a:80", "fd://80"],
    ["a:80", "a:81"],
  ] as const)
    expect([one, other, same(one, other)]).toEqual([one, other, false]);
});

test("formatTuple() is Python's", () => {
  const tuple = (text: string) => formatTuple(parseAddress(text, "/srv"));
  expect(["127.0.0.1:8000", "unix:a", "fd://3"].map(tuple)).toEqual([
    "('127.0.0.1', 8000)",
    "a",
    "fd://3",
  ]);
});

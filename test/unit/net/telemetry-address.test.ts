import { describe, expect, test } from "bun:test";
import { parseStatsdAddress, parseSyslogAddress } from "../../../src/net/telemetry-address.ts";

const maxPath = process.platform === "darwin" ? 103 : 107;
const plain = { form: "gunicorn" } as const;
const udp = (host: string, port: number) => ({ type: "udp", host, port }) as const;
const unix = (path: string, socket: "any" | "datagram" | "stream") =>
  ({ type: "unix", path, socket }) as const;

describe("parseSyslogAddress() takes", () => {
  test.each([
    ["udp://log.example:1514", { ...udp("log.example", 1514), ...plain }],
    ["udp://Log.Example", { ...udp("log.example", 514), ...plain }],
    ["udp://", { ...udp("localhost", 514), ...plain }],
    ["udp://:5514", { ...udp("localhost", 5514), ...plain }],
    ["udp://10.0.0.1:65535", { ...udp("10.0.0.1", 65_535), ...plain }],
    ["udp://[::1]", { ...udp("::1", 514), ...plain }],
    ["udp://[fe80::1%eth0]:99", { ...udp("fe80::1%eth0", 99), ...plain }],
    ["tcp://log:601", { type: "tcp", host: "log", port: 601, ...plain }],
    ["tcp://log#rfc5424", { type: "tcp", host: "log", port: 514, form: "rfc5424" }],
    ["unix:///dev/log", { ...unix("/dev/log", "any"), ...plain }],
    ["unix:///dev/log#dgram", { ...unix("/dev/log", "datagram"), ...plain }],
    [`unix://${"x".repeat(maxPath)}`, { ...unix("x".repeat(maxPath), "any"), ...plain }],
    ["unix:///dev/log#stream", { ...unix("/dev/log", "stream"), ...plain }],
    ["unix:///dev/log#rfc5424", { ...unix("/dev/log", "any"), form: "rfc5424" }],
    ["unix:///dev/log#rfc5424,dgram", { ...unix("/dev/log", "datagram"), form: "rfc5424" }],
    ["unix://@log#stream,rfc5424", { ...unix("\0log", "stream"), form: "rfc5424" }],
  ] as const)("%s", (text, address) => {
    expect(parseSyslogAddress(text)).toEqual(address);
  });
});

describe("parseSyslogAddress() refuses", () => {
  test.each([
    ["", "must be udp://HOST:PORT, tcp://HOST:PORT or unix://PATH"],
    ["localhost:514", "must be udp://HOST:PORT, tcp://HOST:PORT or unix://PATH"],
    ["http://localhost", "must be udp://HOST:PORT, tcp://HOST:PORT or unix://PATH"],
    ["unix://", "must be udp://HOST:PORT, tcp://HOST:PORT or unix://PATH"],
    ["unix://@", "must be udp://HOST:PORT, tcp://HOST:PORT or unix://PATH"],
    [
      `unix:///${"x".repeat(maxPath)}`,
      `its path is longer than the ${maxPath} bytes of a unix socket's`,
    ],
    [`unix:///${"ü".repeat((maxPath + 1) / 2)}#dgram`, "its path is longer than the"],
    ["udp://log:0", "must have a host, and a port from 1 to 65535"],
    ["udp://log:65536", "must have a host, and a port from 1 to 65535"],
    ["udp://log:syslog", "must have a host, and a port from 1 to 65535"],
    ["udp://::1", "must have a host, and a port from 1 to 65535"],
    ["udp://[::1", "must have a host, and a port from 1 to 65535"],
    ["udp://[log]:514", "must have a host, and a port from 1 to 65535"],
    ["udp://10.0.0:514", "must have a host, and a port from 1 to 65535"],
    ["udp://a b", "must have a host, and a port from 1 to 65535"],
    ["udp://log#dgram", "#dgram and #stream are for unix://PATH"],
    ["tcp://log#stream", "#dgram and #stream are for unix://PATH"],
    ["unix:///dev/log#dgram,stream", "#dgram and #stream exclude each other"],
    ["unix:///dev/log#raw", "#raw must be #rfc5424, or #dgram or #stream for unix, or two"],
    ["unix:///dev/log#", "# must be #rfc5424, or #dgram or #stream for unix, or two"],
  ])("%s", (text, why) => {
    expect(() => parseSyslogAddress(text)).toThrow(`invalid syslog address '${text}': ${why}`);
  });
});

describe("parseStatsdAddress() takes", () => {
  test.each([
    ["statsd:9125", udp("statsd", 9125)],
    ["statsd", udp("statsd", 8125)],
    [":9125", udp("localhost", 9125)],
    ["127.0.0.1:8125", udp("127.0.0.1", 8125)],
    ["[::1]:8126", udp("::1", 8126)],
    ["[::1]", udp("::1", 8125)],
    ["unix:8126", udp("unix", 8126)],
    ["unix:///run/dsd.socket", unix("/run/dsd.socket", "datagram")],
    ["unix:/run/dsd.socket", unix("/run/dsd.socket", "datagram")],
    ["unix://@dsd", unix("\0dsd", "datagram")],
  ] as const)("%s", (text, address) => {
    expect(parseStatsdAddress(text)).toEqual(address);
  });
});

test("parseStatsdAddress() refuses a path that is too long", () => {
  const text = `unix:///${"x".repeat(maxPath)}`;
  const message = `invalid statsD address '${text}': its path is longer than the ${maxPath} bytes`;
  expect(() => parseStatsdAddress(text)).toThrow(message);
});

test.each([
  "",
  "unix://",
  "unix:",
  "unix://@",
  "statsd:0",
  "statsd:99999",
  "a b:1",
  "::1",
  "udp://statsd:8125",
  "a:b",
  "1.2.3:1",
])("parseStatsdAddress() refuses '%s'", (text) => {
  const message = "Value must be one of ('host:port', 'unix://PATH')";
  expect(() => parseStatsdAddress(text)).toThrow(message);
});

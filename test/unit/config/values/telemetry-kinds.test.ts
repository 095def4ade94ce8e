import { expect, test } from "bun:test";
import {
  collectorUrl,
  linuxOnly,
  ratio,
  metricPrefix,
  metricTags,
  statsdAddress,
  syslogAddress,
  syslogFacility,
} from "../../../../src/config/values/telemetry-kinds.ts";
import { facts } from "../facts.ts";
import { parseRefuses, parseTakes } from "./parse-tables.ts";

const backlog = linuxOnly("queues can be measured");
const noPrefix = "must be without control characters, : and |";

parseTakes([
  ["a collector, as given", collectorUrl, " http://otel:4318 ", "http://otel:4318"],
  [
    "a collector behind a path",
    collectorUrl,
    "https://otel.example/otlp",
    "https://otel.example/otlp",
  ],
  ["the environment's collector", collectorUrl, "env", "env"],
  ["a share", ratio, "0.25", 0.25],
  ["all", ratio, 1, 1],
  ["none", ratio, "0", 0],
  ["a share without its zero", ratio, " .5 ", 0.5],
  ["a syslog address, as given", syslogAddress, " udp://Log#rfc5424 ", "udp://Log#rfc5424"],
  ["a facility in any case", syslogFacility, "Local3", "local3"],
  ["Gunicorn's word for auth", syslogFacility, "security", "security"],
  ["a statsD address, as given", statsdAddress, "statsd", "statsd"],
  ["a prefix of metrics", metricPrefix, "shop.web-1", "shop.web-1"],
  ["tags", metricTags, "env:prod,größe:1", "env:prod,größe:1"],
  ["what Linux can", backlog, true, true],
]);

parseRefuses([
  ...[
    "otel:4318",
    "grpc://otel:4317",
    "http://",
    "http://a/?x=1",
    "http://a/#x",
    "http://me:key@a",
  ].map(
    (url) =>
      [
        `collector ${url}`,
        collectorUrl,
        url,
        `must be a URL, http:// or https://, or env, got '${url}'`,
      ] as const,
  ),
  ...[-0.1, 1.1, Number.NaN, null].map(
    (share) =>
      [`share ${share}`, ratio, share, `must be a number from 0 to 1, got ${share}`] as const,
  ),
  ...["", "1%", "1e-1", "0x1", "2"].map(
    (share) =>
      [`share "${share}"`, ratio, share, `must be a number from 0 to 1, got '${share}'`] as const,
  ),
  [
    "another syslog address",
    syslogAddress,
    "log",
    "invalid syslog address 'log': must be udp://HOST:PORT, tcp://HOST:PORT or unix://PATH",
  ],
  ["a number as syslog address", syslogAddress, 514, "must be text, got 514"],
  ["an unknown facility", syslogFacility, "local8", "unknown facility name 'local8'"],
  [
    "the name of an object's method",
    syslogFacility,
    "toString",
    "unknown facility name 'toString'",
  ],
  ["a prefix with a colon", metricPrefix, "a:b", `${noPrefix}, got 'a:b'`],
  ["a prefix with a bar", metricPrefix, "a|b", `${noPrefix}, got 'a|b'`],
  ["a prefix of two lines", metricPrefix, "a\nb", `${noPrefix}, got 'a\nb'`],
  ["tags with a bar", metricTags, "a|b", "must be without control characters and |, got 'a|b'"],
  ["tags of two lines", metricTags, "a\nb", "must be without control characters and |, got 'a\nb'"],
  [
    "a statsD port that is none",
    statsdAddress,
    "a:0",
    "Value must be one of ('host:port', 'unix://PATH')",
  ],
]);

test("linuxOnly() refuses to be on elsewhere", () => {
  const elsewhere = { ...facts, platform: "darwin" } as const;
  expect(backlog.parse(false, elsewhere)).toBe(false);
  expect(() => backlog.parse(true, elsewhere)).toThrow("queues can be measured only on Linux");
});

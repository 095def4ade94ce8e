import { expect, test } from "bun:test";
import type { Kind } from "../../../../src/config/values/kinds.ts";
import {
  linuxOnly,
  metricPrefix,
  metricTags,
  statsdAddress,
  syslogAddress,
  syslogFacility,
} from "../../../../src/config/values/telemetry-kinds.ts";
import { facts } from "../facts.ts";

const backlog = linuxOnly("queues can be measured");

test.each<readonly [string, Kind<unknown>, unknown, unknown]>([
  ["a syslog address, as given", syslogAddress, " udp://Log#rfc5424 ", "udp://Log#rfc5424"],
  ["a facility in any case", syslogFacility, "Local3", "local3"],
  ["Gunicorn's word for auth", syslogFacility, "security", "security"],
  ["a statsD address, as given", statsdAddress, "statsd", "statsd"],
  ["a prefix of metrics", metricPrefix, "shop.web-1", "shop.web-1"],
  ["tags", metricTags, "env:prod,größe:1", "env:prod,größe:1"],
  ["what Linux can", backlog, true, true],
])("parse() takes %s", (_name, kind, value, result) => {
  expect(kind.parse(value, facts)).toEqual(result);
});

test.each<readonly [string, Kind<unknown>, unknown, string]>([
  ["another syslog address", syslogAddress, "log", "invalid syslog address 'log'"],
  ["a number as syslog address", syslogAddress, 514, "must be text, got 514"],
  ["an unknown facility", syslogFacility, "local8", "unknown facility name 'local8'"],
  ["the name of an object's method", syslogFacility, "toString", "unknown facility name"],
  ["a prefix with a colon", metricPrefix, "a:b", "must be without control characters, : and |"],
  ["a prefix with a bar", metricPrefix, "a|b", "must be without control characters, : and |"],
  ["a prefix of two lines", metricPrefix, "a\nb", "must be without control characters, : and |"],
  ["tags with a bar", metricTags, "a|b", "must be without control characters and |"],
  ["tags of two lines", metricTags, "a\nb", "must be without control characters and |"],
  ["a statsD port that is none", statsdAddress, "a:0", "Value must be one of ('host:port',"],
])("parse() refuses %s", (_name, kind, value, message) => {
  expect(() => kind.parse(value, facts)).toThrow(message);
});

test("linuxOnly() refuses to be on elsewhere", () => {
  const elsewhere = { ...facts, platform: "darwin" } as const;
  expect(backlog.parse(false, elsewhere)).toBe(false);
  expect(() => backlog.parse(true, elsewhere)).toThrow("queues can be measured only on Linux");
});

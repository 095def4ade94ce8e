import { describe, expect, test } from "bun:test";
import {
  cutPacket,
  formatPacket,
  framePacket,
  type SyslogSource,
} from "../../../src/telemetry/syslog-packet.ts";

const source: SyslogSource = {
  form: "gunicorn",
  facility: 1,
  name: "gunicorn.app.fetch",
  logger: "error",
  hostname: "web1",
  pid: 42,
};
const modern: SyslogSource = { ...source, form: "rfc5424" };
const now = new Date("2026-11-20T18:30:00.250Z");

describe("formatPacket()", () => {
  test.each([
    [{ ...source }, "info", "<14>gunicorn.app.fetch.error: [42] hello"],
    [{ ...source, facility: 0 }, "critical", "<2>gunicorn.app.fetch.error: [42] hello"],
    [{ ...source, facility: 19 }, "error", "<155>gunicorn.app.fetch.error: [42] hello"],
    [{ ...source, facility: 23 }, "warning", "<188>gunicorn.app.fetch.error: [42] hello"],
    [{ ...source, facility: 3 }, "debug", "<31>gunicorn.app.fetch.error: [42] hello"],
    [{ ...source, logger: "access" }, "info", "<14>gunicorn.app.fetch.access: [42] hello"],
    [modern, "info", "<14>1 2026-11-20T18:30:00.250Z web1 gunicorn.app.fetch 42 error - hello"],
    [
      { ...modern, hostname: "", name: "gunicorn.mein Werk", logger: "access" },
      "warning",
      "<12>1 2026-11-20T18:30:00.250Z - gunicorn.mein_Werk 42 access - hello",
    ],
    [
      { ...modern, name: "x".repeat(60) },
      "info",
      `<14>1 2026-11-20T18:30:00.250Z web1 ${"x".repeat(48)} 42 error - hello`,
    ],
  ] as const)("%j at %s", (from, level, packet) => {
    expect(formatPacket(from, level, "hello", now)).toBe(packet);
  });
});

describe("framePacket()", () => {
  test.each([
    ["gunicorn", false, "<14>a\n  b: ü", "<14>a\n  b: ü\0"],
    ["gunicorn", true, "<14>a\n  b: ü\n", "<14>a#012  b: ü#012\n"],
    ["rfc5424", false, "<14>1 a\n  b: ü", "<14>1 a\n  b: ü"],
    ["rfc5424", true, "<14>1 a\n  b: ü", "15 <14>1 a\n  b: ü"],
  ] as const)("%s, in a stream: %p", (form, isStream, packet, frame) => {
    expect(Buffer.from(framePacket(packet, form, isStream)).toString()).toBe(frame);
  });
});

test.each([
  ["abcdef", 6, "abcdef"],
  ["abcdefg", 6, "abc..."],
  ["abüdef", 6, "ab..."],
  ["aüdefg", 6, "aü..."],
  ["a€bcdef", 6, "a..."],
  ["🙂🙂🙂", 9, "🙂..."],
  ["🙂🙂🙂", 10, "🙂..."],
  ["🙂🙂🙂", 11, "🙂🙂..."],
])("cutPacket() cuts %s to %d bytes", (packet, maxBytes, expected) => {
  expect(cutPacket(packet, maxBytes)).toBe(expected);
  expect(Buffer.byteLength(expected)).toBeLessThanOrEqual(maxBytes);
});

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { monotonicUsec, sendNotification } from "../../../../src/os/processes/notify.ts";

const onLinux = process.platform === "linux";

test.if(onLinux).each([
  ["a path where nobody listens", "/nowhere/notify.sock", /No such file/],
  ["an abstract name where nobody listens", "@gunicorn-ts-nobody", /Connection refused/],
  ["a relative path", "notify.sock", /not the path or @name/],
  ["another kind of address", "vsock:2:1234", /not the path or @name/],
  ["an abstract socket without a name", "@", /not the path or @name/],
  ["a path of 108 bytes", `/${"x".repeat(107)}`, /too long/],
  ["a path of 107 bytes", `/${"x".repeat(106)}`, /No such file/],
  ["an abstract name of 107 bytes", `@${"x".repeat(107)}`, /Connection refused/],
])("sendNotification() answers why, for %s", (_what, address, expected) => {
  expect(sendNotification(address, "READY=1\n")).toMatch(expected);
});

test("monotonicUsec() is the clock of the system, not of the process", () => {
  const before = monotonicUsec();
  const after = monotonicUsec();
  expect(after).toBeGreaterThanOrEqual(before);
  if (!onLinux) return;
  // CLOCK_BOOTTIME: the same, but for the time that the machine was suspended.
  const uptime = Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]);
  expect(Number(before) / 1e6).toBeLessThan(uptime + 1);
  expect(Number(before)).toBeGreaterThan(performance.now() * 1000);
});

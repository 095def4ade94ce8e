import { expect, test } from "bun:test";
import { isUtc } from "../../../../src/log/lines/local-time.ts";

const module = `${import.meta.dir}/../../../../src/log/lines/local-time.ts`;

/** What localTime() says of a summer's and a winter's day in a process that has `TZ` set so, one after the other. */
function timesIn(zones: readonly (string | undefined)[]): string[] {
  const [first] = zones;
  const script = `const { localTime } = await import(${JSON.stringify(module)});
for (const zone of ${JSON.stringify(zones)}) {
  if (zone !== null) process.env.TZ = zone;
  console.log(localTime(new Date(1785000000123)), localTime(new Date(1800000000999)));
}`;
  const { TZ: _, ...rest } = process.env;
  const env = first === undefined ? rest : { ...rest, TZ: first };
  const { stdout } = Bun.spawnSync([process.execPath, "-e", script], { env });
  return stdout.toString().trim().split("\n");
}

const utc = "2026-07-25T17:20:00+0000 2027-01-15T08:00:00+0000";
const berlin = "2026-07-25T19:20:00+0200 2027-01-15T09:00:00+0100";

test.each([
  ["UTC", utc],
  ["Etc/UTC", utc],
  ["GMT", utc],
  ["Europe/Berlin", berlin],
  ["Asia/Kolkata", "2026-07-25T22:50:00+0530 2027-01-15T13:30:00+0530"],
  ["America/St_Johns", "2026-07-25T14:50:00-0230 2027-01-15T04:30:00-0330"],
])("localTime() in %s", (zone, times) => {
  expect(timesIn([zone])).toEqual([times]);
});

test("localTime() follows an app that sets the zone", () => {
  expect(timesIn(["UTC", "Europe/Berlin", "UTC"])).toEqual([utc, berlin, utc]);
});

test("localTime() of this machine's zone is what the clock says", () => {
  const { TZ: _, ...env } = process.env;
  const clock = `${[1785000000123, 1800000000999].map((ms) => `new Date(${ms}).getHours()`)}`;
  const { stdout } = Bun.spawnSync([process.execPath, "-p", `[${clock}].join()`], { env });
  const hours = [...(timesIn([undefined])[0] ?? "").matchAll(/T(\d\d)/g)].map(([, hour]) =>
    Number(hour),
  );
  expect(hours.join()).toBe(stdout.toString().trim());
});

const zones: [zone: string | undefined, system: string | null, is: boolean][] = [
  ["UTC", "/usr/share/zoneinfo/Europe/Berlin", true],
  ["Etc/UTC", null, true],
  ["Europe/Berlin", "/usr/share/zoneinfo/UTC", false],
  ["", "/usr/share/zoneinfo/UTC", false],
  ["UTC-3", "/usr/share/zoneinfo/UTC", false],
  [undefined, "/usr/share/zoneinfo/UTC", true],
  [undefined, "/usr/share/zoneinfo/Etc/UTC", true],
  [undefined, "../usr/share/zoneinfo/Etc/UTC", true],
  [undefined, "/var/db/timezone/zoneinfo/UTC", true],
  [undefined, "/usr/share/zoneinfo/Europe/Berlin", false],
  [undefined, "/etc/UTC", false],
  [undefined, "", true],
  [undefined, null, false],
];
test.each(zones)("TZ %p and /etc/localtime %p: UTC is %p", (zone, system, is) => {
  expect(isUtc(zone, system)).toBe(is);
});

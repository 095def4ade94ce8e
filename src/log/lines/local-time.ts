/**
 * The time as the clock on the wall has it. JavaScript's own knows zones by ICU, which takes 3 ms of each process to
 * begin with, before master and worker can write their first lines (bench: start). Where the zone is UTC, as on most
 * servers, it isn't asked.
 */
import { readlinkSync } from "node:fs";

/** Local time as ISO 8601 without a fraction, the zone as Python's `%z`: `2026-11-20T11:24:13+0000`. */
export function localTime(date: Date): string {
  if (zoneIsUtc()) return `${date.toISOString().slice(0, 19)}+0000`;
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return `${day}T${time}${zoneOf(date)}`;
}

/** The zone of a local time as Python's `%z`. */
export function zoneOf(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const minutes = Math.abs(offset);
  return `${offset < 0 ? "-" : "+"}${pad(Math.floor(minutes / 60))}${pad(minutes % 60)}`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

let systemIsUtc: boolean | undefined;

function zoneIsUtc(): boolean {
  // An app may set it at any time.
  const zone = process.env["TZ"];
  if (zone !== undefined) return isUtc(zone, "");
  return (systemIsUtc ??= isUtc(undefined, systemZone()));
}

/** Where /etc/localtime leads; empty where there is none, and null where it is a file, whose name says nothing. */
function systemZone(): string | null {
  try {
    return readlinkSync("/etc/localtime");
  } catch (error) {
    // No link, or no right to look.
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "" : null;
  }
}

/**
 * Whether a zone is surely UTC.
 * @param zone TZ
 * @param system see systemZone()
 */
export function isUtc(zone: string | undefined, system: string | null): boolean {
  if (zone !== undefined) return zone === "UTC" || zone === "Etc/UTC";
  return system !== null && (system === "" || /\/zoneinfo\/(?:Etc\/)?UTC$/.test(system));
}

/** What a worker is busy with, in the words of the log. */
import { escapeText } from "../log/lines/escape.ts";
import type { NewestRequest } from "./newest-request.ts";

/** Of a process that goes on, at this moment: its main thread has the CPU or wants it, or it waits, or somebody has stopped it. */
export type Activity = "computing" | "waiting" | "stopped";

/** The requests that a worker has. */
export interface Busy {
  readonly inFlight: number;
  /** Null before the first one. */
  readonly newest: NewestRequest | null;
  /** How long ago that one came, to a quarter of a second. */
  readonly newestMs: number;
}

export interface Doing extends Busy {
  /** Null where the system doesn't say, or the process has gone. */
  readonly activity: Activity | null;
  /** The function of the kernel that it waits in; null if it doesn't, or the system doesn't say. */
  readonly waitsIn: string | null;
}

/** `computing, 1 request in flight: GET /slow for 30.2 s`. Clients' text is escaped. */
export function describeDoing(doing: Doing): string {
  const { activity, waitsIn } = doing;
  const requests = describeBusy(doing);
  if (activity === null) return requests;
  return `${activity}${waitsIn === null ? "" : ` (${waitsIn})`}, ${requests}`;
}

export function describeBusy(busy: Busy): string {
  const { inFlight, newest } = busy;
  if (inFlight === 0) {
    const last = newest === null ? "" : `, the last was ${lineOf(newest)}`;
    return `no request in flight${last}`;
  }
  const count = inFlight === 1 ? "1 request" : `${inFlight} requests`;
  return `${count} in flight${describeNewest(busy)}`;
}

/** `: GET /slow for 30.2 s`, to stand behind a number of requests; empty for none. */
export function describeNewest({ inFlight, newest, newestMs }: Busy): string {
  if (inFlight === 0 || newest === null) return "";
  // Those in flight came before it.
  if (!newest.open) return `: older than ${lineOf(newest)}`;
  const which = inFlight === 1 ? "" : "the newest ";
  return `: ${which}${lineOf(newest)}${runsFor(newestMs)}`;
}

/** The newest request, and if it isn't finished for how long it runs: `GET /slow for 30.2 s`; null before the first. */
export function describeLast({ newest, newestMs }: Omit<Busy, "inFlight">): string | null {
  if (newest === null) return null;
  return lineOf(newest) + (newest.open ? runsFor(newestMs) : "");
}

function runsFor(ms: number): string {
  return ` for ${(ms / 1000).toFixed(1)} s`;
}

function lineOf({ method, path }: NewestRequest): string {
  return `${escapeText(method)} ${escapeText(path)}`;
}

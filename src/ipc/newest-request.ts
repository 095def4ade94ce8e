/**
 * The newest request, as it stands in the scoreboard: the worker writes it before the app is asked, since one that never
 * comes back lets nothing else run; the master reads it.
 */
import type { RequestFacts } from "../api/request-record.ts";

export interface NewestRequest {
  readonly method: string;
  /** As it was sent, one character for each byte, without the query; three dots stand for what was too long. */
  readonly path: string;
  /** It isn't finished. */
  readonly open: boolean;
}

const longestPath = 100;

/**
 * The first byte says whether it is open, the line stands behind that, and ends with a 0: a short one lies in the cache line of
 * the counters, which each request writes anyway (bench: hello).
 */
const openAt = 0;
export const lineStart = 1;

/** How many bytes of a line there is room for. */
export function longestLine(row: Buffer): number {
  return row.length - lineStart - 1;
}

/** The line stands there, and ends at an index. */
export function openLine(row: Buffer, end: number): void {
  row[end] = 0;
  row[openAt] = 1;
}

/** The line that stands there is that of one more request. */
export function reopenLine(row: Buffer): void {
  row[openAt] = 1;
}

export function closeLine(row: Buffer): void {
  row[openAt] = 0;
}

/** Writes the line of a request of which there are only texts; answers its end. */
export function writeLine(row: Buffer, { method, target }: RequestFacts): number {
  return lineStart + row.write(`${method} ${target}`, lineStart, longestLine(row), "latin1");
}

/** @param row the column of a worker's row; null when there was none yet */
export function readNewest(row: Buffer): NewestRequest | null {
  const end = row.indexOf(0, lineStart);
  const line = row.toString("latin1", lineStart, end === -1 ? row.length : end);
  return line === "" ? null : parse(line, row[openAt] === 1, longestLine(row));
}

/** @param most how many bytes there is room for: a text of so many may have been cut */
function parse(text: string, open: boolean, most: number): NewestRequest {
  const [method = "", target = ""] = text.split(" ", 2);
  const [whole = ""] = target.split("?", 1);
  const path = withoutAuthority(whole);
  const isCut = path.length > longestPath || (text.length >= most && whole === target);
  return { method, path: isCut ? `${path.slice(0, longestPath)}...` : path, open };
}

/** RFC 9112 §3.2.2: in absolute form the path comes behind the authority, where a password may stand. */
function withoutAuthority(target: string): string {
  const scheme = target.startsWith("/") ? -1 : target.indexOf("://");
  if (scheme === -1) return target;
  const slash = target.indexOf("/", scheme + 3);
  return slash === -1 ? "/" : target.slice(slash);
}

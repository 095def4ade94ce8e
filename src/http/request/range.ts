/** Which part of a file a request asks for (RFC 9110 §14). Only an answer that would be 200 has parts. */
import { allValues } from "../syntax/find-field.ts";
import type { Head } from "../syntax/head.ts";

/** Bytes [start, start + length) of a file. */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/** One range, with the blanks that Bun.serve takes too. */
const singleRange = /^bytes[ \t]*=[ \t]*(\d*)[ \t]*-[ \t]*(\d*)[ \t]*$/i;

/**
 * The Range of a request for an answer with such fields, if it counts: the method is GET, the only one that ranges are
 * defined for (RFC 9110 §14.2), the app doesn't say that it has none (§14.3), and If-Range, where there is one, holds.
 * `nowMs` as Date.now().
 */
export function askedRange(request: Head, fields: Headers, nowMs: number): string | null {
  const range = allValues(request, "range");
  if (range === null || request.method !== "GET") return null;
  if (fields.get("accept-ranges")?.toLowerCase() === "none") return null;
  const condition = allValues(request, "if-range");
  return condition === null || holds(condition, fields, nowMs) ? range : null;
}

/**
 * What a Range asks of a file of so many bytes. Null: all of it, since the value is malformed, in another unit, or of
 * several ranges, any of which a server may ignore (RFC 9110 §14.2).
 */
export function selectRange(value: string, sizeBytes: number): ByteRange | "unsatisfiable" | null {
  const found = singleRange.exec(value);
  if (found === null) return null;
  const [, first = "", last = ""] = found;
  if (first === "") return last === "" ? null : suffix(Number(last), sizeBytes);
  const start = Number(first);
  const end = last === "" ? Infinity : Number(last);
  if (end < start) return null;
  if (start >= sizeBytes) return "unsatisfiable";
  return { start, length: Math.min(end, sizeBytes - 1) - start + 1 };
}

function suffix(length: number, sizeBytes: number): ByteRange | "unsatisfiable" | null {
  if (length === 0) return "unsatisfiable";
  // Satisfiable, but no Content-Range can say so.
  if (sizeBytes === 0) return null;
  const sent = Math.min(length, sizeBytes);
  return { start: sizeBytes - sent, length: sent };
}

/** RFC 9110 §13.1.5: the same entity-tag, a strong one, or exactly the same date, if that one is strong (§8.8.2.2). */
function holds(condition: string, fields: Headers, nowMs: number): boolean {
  if (condition.startsWith('"')) return condition === fields.get("etag");
  // Of a file that was changed within this second another version may have the same date.
  return condition === fields.get("last-modified") && Date.parse(condition) + 1000 <= nowMs;
}

import type { HeaderFields } from "../../../http/request/request-headers.ts";

/** Names and values in turn, as they were sent. */
export function rawFields({ text, fields, fieldCount }: HeaderFields): string[] {
  const found: string[] = [];
  for (let at = 0; at < 4 * fieldCount; at += 2) found.push(text.slice(fields[at], fields[at + 1]));
  return found;
}

/** Fields of a head by their names, at the cost of a few comparisons: nothing is sliced but what is found. */
import type { Head } from "./head.ts";

/** A name's first letter, as the parser notes it in Head.initials. */
export function initialOf(name: string): number {
  return 1 << (name.charCodeAt(0) & 31);
}

/**
 * Offsets first, one character next: a browser's head has fields as long as X-Forwarded-SSL. `name` is in lower case.
 */
export function isNamed(head: Head, index: number, name: string): boolean {
  const start = head.fields[4 * index]!;
  return (
    head.fields[4 * index + 1]! - start === name.length &&
    (head.text.charCodeAt(start) | 0x20) === (name.charCodeAt(0) | 0x20) &&
    head.fieldName(index).toLowerCase() === name
  );
}

/** The value of the last field of that name, which is in lower case; null if there is none. */
export function lastValue(head: Head, name: string): string | null {
  if ((head.initials & initialOf(name)) === 0) return null;
  // In one go, without isNamed(): an access log asks for three fields of each request (bench: access-log).
  const { fields, text } = head;
  const { length } = name;
  for (let offset = 4 * head.fieldCount - 4; offset >= 0; offset -= 4) {
    const start = fields[offset]!;
    if (fields[offset + 1]! - start !== length || !spells(text, start, name)) continue;
    return text.slice(fields[offset + 2], fields[offset + 3]);
  }
  return null;
}

/** Whether `name` stands at `start`, in any case. */
function spells(text: string, start: number, name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    const sent = text.charCodeAt(start + index);
    const asked = name.charCodeAt(index);
    if (sent === asked) continue;
    // Only letters have another case.
    if ((sent | 0x20) !== asked || asked < 0x61 || asked > 0x7a) return false;
  }
  return true;
}

/** The values of all fields of that name, in order, with commas between (RFC 9110 §5.3); null if there is none. */
export function allValues(head: Head, name: string): string | null {
  if ((head.initials & initialOf(name)) === 0) return null;
  const values: string[] = [];
  for (let index = 0; index < head.fieldCount; index++) {
    if (isNamed(head, index, name)) values.push(head.fieldValue(index));
  }
  return values.length === 0 ? null : values.join(",");
}

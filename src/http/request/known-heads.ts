/**
 * Heads that came before, byte by byte: clients on kept-alive connections, health checks and proxies send the same one
 * again and again, and to compare it costs a tenth of what it costs to read it. What was found valid is valid again, as the
 * rules are the same: one of these belongs to readers of one set of options, and of one degree of trust.
 *
 * A head is kept when it comes the second time, whole and in one piece. Where heads differ from request to request, few
 * are copied.
 *
 * Of heads with a body by Content-Length, the last one of a method with P is known: where it would end nobody knows before
 * it is read, as the body may have come with it, and clients of an API send the same one again and again.
 */
import { Patience } from "../patience.ts";
import type { Head } from "../syntax/head.ts";

/** The longest head that is kept: a browser's with large cookies. */
const longestBytes = 8192;

/** One for each length modulo this, up to so many bytes: 32 KiB at most. */
const places = 16;
const usualBytes = 2048;

/** And for each length of longer ones: 32 KiB at most, too. */
const longPlaces = 4;

const letterG = 0x47;
const letterP = 0x50;

interface Known {
  readonly bytes: Buffer;
  /** Null as long as it has come once. */
  head: Head | null;
}

export class KnownHeads {
  readonly #known: (Known | null)[] = Array.from({ length: places + longPlaces }, () => null);
  /** The last one that came again: pipelined requests tend to be the same. */
  #last: Known | null = null;
  /** It came before, and its head wasn't kept. */
  #again: Known | null = null;
  readonly #patience = new Patience();
  /** The last one with a body. */
  #withBody: Known | null = null;
  readonly #bodyPatience = new Patience();

  /** The head that bytes[start..end) begins with, if it is known; it is shared, and must not be changed. */
  find(bytes: Buffer, start: number, end: number): Head | null {
    const letter = bytes[start];
    if (letter === letterP) return this.#findWithBody(bytes, start, end);
    if (letter !== letterG) return null;
    const last = this.#last;
    const length = end - start;
    if (last !== null && beginsAlike(bytes, start, end, last.bytes)) return last.head;
    const known = this.#known[placeOf(length)] as Known | null;
    if (known === null || known.bytes.length !== length) return null;
    if (!begins(bytes, start, end, known.bytes)) return null;
    if (known.head === null) {
      this.#again = known;
      return null;
    }
    this.#patience.found();
    this.#last = known;
    return known.head;
  }

  /** A head that find() didn't know, which bytes[start..end) are. Its request has no body, or one by Content-Length. */
  met(head: Head, bytes: Buffer, start: number, end: number): void {
    const again = this.#again;
    this.#again = null;
    const length = end - start;
    if (length > longestBytes) return;
    if (head.contentLength > 0) return this.#metWithBody(head, bytes, start, end);
    if (bytes[start] !== letterG) return;
    if (again !== null && again.bytes.length === length) {
      keep(head);
      again.head = head;
      this.#last = again;
      return;
    }
    if (!this.#patience.missed()) return;
    this.#known[placeOf(length)] = { bytes: Buffer.from(bytes.subarray(start, end)), head: null };
  }

  #findWithBody(bytes: Buffer, start: number, end: number): Head | null {
    const known = this.#withBody;
    if (known === null || known.head === null || !beginsAlike(bytes, start, end, known.bytes))
      return null;
    this.#bodyPatience.found();
    return known.head;
  }

  #metWithBody(head: Head, bytes: Buffer, start: number, end: number): void {
    if (bytes[start] !== letterP) return;
    const known = this.#withBody;
    if (known?.bytes.length === end - start && begins(bytes, start, end, known.bytes)) {
      keep(head);
      known.head = head;
    } else if (this.#bodyPatience.missed())
      this.#withBody = { bytes: Buffer.from(bytes.subarray(start, end)), head: null };
  }
}

function placeOf(length: number): number {
  return length <= usualBytes ? length % places : places + (length % longPlaces);
}

function keep(head: Head): void {
  head.detach();
  head.notes = [];
}

function beginsAlike(bytes: Buffer, start: number, end: number, known: Buffer): boolean {
  return end - start >= known.length && begins(bytes, start, end, known);
}

function begins(bytes: Buffer, start: number, end: number, known: Buffer): boolean {
  // One call for all of a chunk is the cheapest.
  if (start === 0 && end === known.length && end === bytes.length) return bytes.equals(known);
  return known.compare(bytes, start, start + known.length) === 0;
}

/**
 * Trailer fields of a streamed answer: lines behind the last chunk (RFC 9112 §7.1.2). Whoever makes the stream adds them
 * until it closes it; where the answer isn't sent in chunks they are dropped (RFC 9110 §6.5.1).
 */
import { isForbiddenTrailer } from "../../message/policy.ts";

/** RFC 9110 §5.6.2 and §5.5: no CR, no LF, nothing that isn't a byte. */
const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

export class Trailers {
  #lines = "";

  /** Latin-1, each with its CRLF. */
  get lines(): string {
    return this.#lines;
  }

  /** Leaves out what frames, routes or authenticates (RFC 9110 §6.5.1). Throws a TypeError for what is no field. */
  add(name: string, value: string): void {
    if (!fieldName.test(name) || !fieldValue.test(value)) {
      throw new TypeError(`A trailer has a name and a value, got ${JSON.stringify([name, value])}`);
    }
    if (!isForbiddenTrailer(name)) this.#lines += `${name}: ${value}\r\n`;
  }
}

const ofStreams = new WeakMap<object, Trailers>();

/** Makes room for those of an answer whose body is `stream`. */
export function giveTrailers(stream: ReadableStream): Trailers {
  const trailers = new Trailers();
  ofStreams.set(stream, trailers);
  return trailers;
}

/** Null for a stream that can't have any, as those of fetch apps. */
export function trailersOf(stream: ReadableStream): Trailers | null {
  return ofStreams.get(stream) ?? null;
}

/** What a request head says, once its parser has read it all: facts first, text only when somebody asks. */
import type { TransferCoding } from "../message/framing.ts";
import type { Expectation } from "../message/policy.ts";
import { isBlank, latin1 } from "../bytes.ts";

/** RFC 9112 §3.2.1 to §3.2.4. */
export type TargetForm = "origin" | "absolute" | "authority" | "asterisk";

const noBytes = Buffer.alloc(0);
const usualFields = 16;

/** The longest line that is copied byte by byte: the call of a method costs more (bench: hello). */
const shortLine = 40;

/**
 * Where the offsets of a head's fields are written first: most are read before the next head comes, if at all, and an
 * array for each would cost more than the scan of a short head. Whoever claims it takes it from its owner, which then
 * finds its offsets again (#findFields) or has kept a copy (keepFields).
 */
const scratch = new Int32Array(4 * 64);
let scratchOwner: Head | null = null;

/** The length of ` HTTP/1.1` and CRLF, which stand between the target and the first field. */
const afterTargetLength = 11;

/** A field fact is an index into the field list, -1 when absent. All offsets are relative to the head's first byte. */
export class Head {
  method = "";
  methodEnd = 0;
  targetEnd = 0;
  targetForm: TargetForm = "origin";
  /** Where a target in absolute or authority form names its authority. */
  authorityStart = 0;
  authorityEnd = 0;
  /** 0 or 1: HTTP/1.2 to 1.9 are read as 1.1. */
  versionMinor = 1;

  /** What the app sees as target, where it is mounted below a path; null: the target itself. */
  appTarget: string | null = null;

  fieldCount = 0;
  /**
   * One bit for each letter that a field's name begins with, by its place in the alphabet: rules out names at no cost.
   */
  initials = 0;
  hostField = -1;
  contentTypeField = -1;
  upgradeField = -1;
  contentLength = -1;
  transferCoding: TransferCoding = "none";
  /** Bits of keep-alive.ts. */
  connection = 0;
  expectation: Expectation = "none";

  /** What observers make of a head that is kept because it comes again; null: this one isn't. */
  notes: string[] | null = null;

  #source: Buffer = noBytes;
  #start = 0;
  #end = 0;
  #text: string | null = null;
  #fields: Int32Array | null = null;

  /** The whole head as Latin-1 text, sliced when first read. */
  get text(): string {
    return this.#text ?? this.#slice();
  }

  /**
   * Four offsets for each field: name start, name end, value start, value end. To be used at once: the array may be the
   * one that the next head is written to.
   */
  get fields(): Int32Array {
    if (this.#fields !== null) return this.#fields;
    return scratchOwner === this ? scratch : this.#findFields();
  }

  /** The request target as it was sent. */
  get target(): string {
    return this.text.slice(this.methodEnd + 1, this.targetEnd);
  }

  /** The target's own authority, else Host's value. RFC 9112 §3.2.2: with an absolute target Host MUST be ignored. */
  get authority(): string {
    if (this.targetForm === "absolute" || this.targetForm === "authority")
      return this.text.slice(this.authorityStart, this.authorityEnd);
    return this.hostField === -1 ? "" : this.fieldValue(this.hostField);
  }

  fieldName(index: number): string {
    return this.text.slice(this.fields[4 * index], this.fields[4 * index + 1]);
  }

  fieldValue(index: number): string {
    return this.text.slice(this.fields[4 * index + 2], this.fields[4 * index + 3]);
  }

  /** For the parser: where the text is. The head keeps `source` alive until the text is sliced. */
  complete(source: Buffer, start: number, end: number): void {
    this.#source = source;
    this.#start = start;
    this.#end = end;
  }

  /** How long the head is, from its first byte to the end of its empty line. */
  get byteLength(): number {
    return this.#end - this.#start;
  }

  /** Copies the request line up to the end of the target, or to so many bytes, without making a text; answers where it ends. */
  copyLine(into: Buffer, at: number, most: number): number {
    const length = this.targetEnd < most ? this.targetEnd : most;
    const text = this.#text;
    if (length > shortLine) {
      if (text !== null) return at + into.write(text, at, length, "latin1");
      return at + this.#source.copy(into, at, this.#start, this.#start + length);
    }
    if (text !== null)
      for (let index = 0; index < length; index++) into[at + index] = text.charCodeAt(index);
    else {
      const source = this.#source;
      const start = this.#start;
      for (let index = 0; index < length; index++) into[at + index] = source[start + index]!;
    }
    return at + length;
  }

  /** Slices the text at once: from here on the head keeps no received bytes alive. */
  detach(): void {
    if (this.#text === null) this.#slice();
  }

  /** For the parser: where to write offsets, until it returns. */
  claimFields(): Int32Array {
    return this.#fields ?? claimScratch(this);
  }

  /** For the parser: gives the first `length` offsets an array of their own, since they couldn't be found again. */
  keepFields(length: number): void {
    // Room for a usual head: one that came in pieces goes on growing.
    this.#fields ??= scratch.slice(0, Math.max(4 * usualFields, length));
  }

  /** For the parser: room for one more field. */
  growFields(): Int32Array {
    const { fields } = this;
    const grown = new Int32Array(2 * fields.length);
    grown.set(fields);
    this.#fields = grown;
    return grown;
  }

  /** For the parser: what a head is before its first byte. */
  clear(): void {
    this.fieldCount = 0;
    this.initials = 0;
    this.hostField = -1;
    this.contentTypeField = -1;
    this.upgradeField = -1;
    this.contentLength = -1;
    this.transferCoding = "none";
    this.connection = 0;
    this.expectation = "none";
    this.notes = null;
    this.#source = noBytes;
    this.#text = null;
    this.#fields = null;
  }

  #slice(): string {
    const text = latin1(this.#source, this.#start, this.#end);
    this.#text = text;
    // What was received with the head may be large, and the app's Request live long.
    this.#source = noBytes;
    return text;
  }

  /** The offsets once more, of fields that the scan has found valid, kept all of, and read by the strictest rules. */
  #findFields(): Int32Array {
    const { text, fieldCount } = this;
    const fields = new Int32Array(4 * fieldCount);
    let at = this.targetEnd + afterTargetLength;
    for (let offset = 0; offset < fields.length; offset += 4) {
      const colon = text.indexOf(":", at);
      const lineEnd = text.indexOf("\r", colon);
      let start = colon + 1;
      let end = lineEnd;
      while (start < end && isBlank(text.charCodeAt(start))) start++;
      while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
      fields[offset] = at;
      fields[offset + 1] = colon;
      fields[offset + 2] = start;
      fields[offset + 3] = end;
      at = lineEnd + 2;
    }
    this.#fields = fields;
    return fields;
  }
}

function claimScratch(head: Head): Int32Array {
  scratchOwner = head;
  return scratch;
}

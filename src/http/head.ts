/** What a request head says, once its parser has read it all: facts first, text only when somebody asks. */
import type { TransferCoding } from "./framing.ts";
import type { Expectation } from "./policy.ts";
import { latin1 } from "./bytes.ts";

/** RFC 9112 §3.2.1 to §3.2.4. */
export type TargetForm = "origin" | "absolute" | "authority" | "asterisk";

const noBytes = Buffer.alloc(0);
const noFields = new Int32Array(0);
const usualFields = 16;

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
  /** Four offsets for each field: name start, name end, value start, value end. */
  fields: Int32Array = noFields;
  hostField = -1;
  contentTypeField = -1;
  upgradeField = -1;
  contentLength = -1;
  transferCoding: TransferCoding = "none";
  /** Bits of keep-alive.ts. */
  connection = 0;
  expectation: Expectation = "none";

  #source: Buffer = noBytes;
  #start = 0;
  #end = 0;
  #text: string | null = null;

  /** The whole head as Latin-1 text, sliced when first read. */
  get text(): string {
    this.#text ??= latin1(this.#source, this.#start, this.#end);
    return this.#text;
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

  /** The lower-case form of the letter that a field's name begins with: cheaper than any text. */
  nameInitial(index: number): number {
    return this.#source[this.#start + this.fields[4 * index]!]! | 0x20;
  }

  fieldName(index: number): string {
    return this.text.slice(this.fields[4 * index], this.fields[4 * index + 1]);
  }

  fieldValue(index: number): string {
    return this.text.slice(this.fields[4 * index + 2], this.fields[4 * index + 3]);
  }

  /** For the parser: where the text is. The head keeps `source` alive. */
  complete(source: Buffer, start: number, end: number): void {
    this.#source = source;
    this.#start = start;
    this.#end = end;
  }

  /** For the parser: room for one more field. */
  growFields(): Int32Array {
    const grown = new Int32Array(Math.max(4 * usualFields, 2 * this.fields.length));
    grown.set(this.fields);
    this.fields = grown;
    return grown;
  }

  /** For the parser: what a head is before its first byte. The offset array is kept for the next one. */
  clear(): void {
    this.fieldCount = 0;
    this.hostField = -1;
    this.contentTypeField = -1;
    this.upgradeField = -1;
    this.contentLength = -1;
    this.transferCoding = "none";
    this.connection = 0;
    this.expectation = "none";
    this.#source = noBytes;
    this.#text = null;
  }
}

/**
 * Bytes as the syntax of HTTP sees them: classes as tables (1 for a member, 0 for the rest), words, and lists. A scan
 * costs one load for each byte (bench: parser). CR, LF, SP and HTAB have the names of RFC 5234.
 */

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const percent = 0x25;
export const asterisk = 0x2a;
const comma = 0x2c;
export const slash = 0x2f;
export const colon = 0x3a;
export const semicolon = 0x3b;
export const underscore = 0x5f;
export const leftBracket = 0x5b;
export const rightBracket = 0x5d;

const digits = "0123456789";
const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const lower = "abcdefghijklmnopqrstuvwxyz";
const visible = bytesFrom(0x21, 0x7e);
const highBytes = bytesFrom(0x80, 0xff);

function bytesFrom(first: number, last: number): string {
  let text = "";
  for (let byte = first; byte <= last; byte++) text += String.fromCharCode(byte);
  return text;
}

function byteClass(members: string, except = ""): Uint8Array {
  const table = new Uint8Array(256);
  for (let at = 0; at < members.length; at++) table[members.charCodeAt(at)] = 1;
  for (let at = 0; at < except.length; at++) table[except.charCodeAt(at)] = 0;
  return table;
}

/** RFC 9110 §5.6.2. */
const tchar = `${digits}${upper}${lower}!#$%&'*+-.^_\`|~`;

export const isTokenByte = byteClass(tchar);
/**
 * A field name's bytes without `_`: the scan stops there, so that header_map costs nothing to the names without one.
 */
export const isPlainNameByte = byteClass(tchar, "_");
/** Gunicorn's methods: a token without lower-case letters and without `#`. */
export const isMethodByte = byteClass(tchar, `${lower}#`);
/**
 * RFC 9112 §3.2: visible ASCII. Browsers send `|`, `{` and `^` raw, so the rest of RFC 3986 isn't enforced; `#` can't
 * be.
 */
export const isTargetByte = byteClass(visible, "#");
/** RFC 9110 §5.5: field-vchar, obs-text, SP and HTAB. */
export const isValueByte = byteClass(` \t${visible}${highBytes}`);
/** RFC 3986 §3.2.2 reg-name, without the percent sign that needs two digits after it. */
export const isHostByte = byteClass(`${digits}${upper}${lower}-._~!$&'()*+,;=`);

/** The value of each hexadecimal digit; 255 for any other byte. */
export const hexValue = new Uint8Array(256).fill(255);
for (let value = 0; value < 16; value++) {
  hexValue[value.toString(16).charCodeAt(0)] = value;
  hexValue[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** A lower-case word to compare received bytes with. */
export function word(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/**
 * Whether the bytes are the word, whatever their case. Setting bit 5 also maps a few control bytes and `_` onto others;
 * all words here consist of letters, digits and `-`, and a CR (which maps to `-`) never gets this far.
 */
export function equalsWord(
  bytes: Uint8Array,
  start: number,
  end: number,
  expected: Uint8Array,
): boolean {
  const { length } = expected;
  if (end - start !== length) return false;
  for (let index = 0; index < length; index++) {
    if ((bytes[start + index]! | 0x20) !== expected[index]) return false;
  }
  return true;
}

/**
 * The elements of a comma list (RFC 9110 §5.6.1) as indices into `words`; -1 for any other element, -2 for an empty
 * one. Only SP and HTAB are trimmed: what else looks like a blank is part of the element.
 */
export function readList(
  bytes: Uint8Array,
  start: number,
  end: number,
  words: readonly Uint8Array[],
): number[] {
  const elements: number[] = [];
  for (let from = start; from <= end;) {
    let stop = from;
    while (stop < end && bytes[stop] !== comma) stop++;
    let to = stop;
    while (from < to && isBlank(bytes[from]!)) from++;
    while (to > from && isBlank(bytes[to - 1]!)) to--;
    elements.push(from === to ? -2 : indexOfWord(bytes, from, to, words));
    from = stop + 1;
  }
  return elements;
}

export function isBlank(byte: number): boolean {
  return byte === SP || byte === HTAB;
}

function indexOfWord(
  bytes: Uint8Array,
  start: number,
  end: number,
  words: readonly Uint8Array[],
): number {
  for (let index = 0; index < words.length; index++) {
    if (equalsWord(bytes, start, end, words[index]!)) return index;
  }
  return -1;
}

declare global {
  interface Buffer {
    /** Buffer's own, but missing in bun-types. */
    latin1Slice(start: number, end: number): string;
  }
}

/** The bytes as text, one character for each. */
export function latin1(bytes: Buffer, start: number, end: number): string {
  return bytes.latin1Slice(start, end);
}

/**
 * Text of clients and apps in a line of a log. Invariant: what comes out is printable ASCII without a bare quote, so
 * that nobody can end the line or a quoted part of it; and what went in can be read back, byte by byte.
 */

/** Whatever doesn't stand for itself: `"`, `\`, and all but printable ASCII. */
const unsafe = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;
const allUnsafe = /[^\x20\x21\x23-\x5b\x5d-\x7e]/gu;

/**
 * `"` becomes `\"`, `\` becomes `\\`, other bytes outside printable ASCII `\xhh`. Characters above 0xff count as their
 * UTF-8 bytes.
 */
export function escapeText(text: string): string {
  // Nearly every text is clean (bench: access-log).
  return unsafe.test(text) ? text.replace(allUnsafe, escapeCharacter) : text;
}

/**
 * The same for a column without quotes: a blank, a quote and `[`, by which readers find the columns, are `\xhh` too.
 */
export function escapeWord(text: string): string {
  return escapeText(text).replace(/\\"|[ []/g, (found) => escapeByte(found.at(-1) as string));
}

function escapeCharacter(character: string): string {
  if (character === '"' || character === "\\") return `\\${character}`;
  return character.charCodeAt(0) <= 0xff
    ? escapeByte(character)
    : Array.from(Buffer.from(character).toString("latin1"), escapeByte).join("");
}

/** Escapes one character up to 0xff. */
function escapeByte(byte: string): string {
  return `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

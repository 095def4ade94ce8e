/** Texts as UTF-8, where Buffer.from() would leave each of them to the garbage collector. */

/** How much room writeUtf8() needs behind the bytes. */
export const spareBytes = 3;

/** A letter that no text of 8 bits a character has; three bytes. */
const wide = "\u6f22";

/** How much of a text is widened at a time: a larger piece leaves more to the collector. */
const pieceLength = 2048;

/**
 * Writes a text that is `bytes` long in UTF-8; a lone surrogate becomes U+FFFD. Answers `bytes`.
 *
 * Bun is slow for texts that JavaScriptCore keeps in 8 bits a character and that have many letters above ASCII: 240 us
 * for 32,768 times `é`, and 10 us with letters between that need 16 bits (bench: latin-64k). Nobody tells how a text is
 * kept, but one whose letters take more than two bytes has 16 bits.
 */
export function writeUtf8(text: string, bytes: number, into: Buffer, at: number): number {
  const beyondAscii = bytes - text.length;
  if (beyondAscii <= text.length / 8 || beyondAscii > text.length || text.length < 1024)
    return into.utf8Write(text, at, bytes);
  return writeWidened(text, into, at);
}

function writeWidened(text: string, into: Buffer, at: number): number {
  let written = at;
  for (let from = 0; from < text.length;) {
    let to = from + pieceLength;
    if (isHighSurrogate(text.charCodeAt(to - 1))) to += 1;
    written += into.utf8Write(text.slice(from, to) + wide, written) - spareBytes;
    from = to;
  }
  return written - at;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

declare global {
  interface Buffer {
    /** Buffer's own, but missing in bun-types. */
    utf8Write(text: string, at: number, size?: number): number;
  }
}

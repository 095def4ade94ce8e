/** Texts in lines that are JSON, and formats whose lines are to be. */
import { escapeText } from "./escape.ts";

const notAscii = /[^\x00-\x7f]/;
const notLatin1 = /[^\x00-\xff]/;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Bytes, one character each, as the UTF-8 that they are, or as the plain form of the log shows them. Other texts stay.
 */
export function decodeText(text: string): string {
  if (!notAscii.test(text) || notLatin1.test(text)) return text;
  try {
    return utf8.decode(Buffer.from(text, "latin1"));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return escapeText(text);
  }
}

/** What JSON wants written otherwise within quotes, and lone surrogates, which only JSON.stringify finds. */
const needsEscape = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;

/** A text as it stands between the quotes of a JSON string. */
export function escapeJson(text: string): string {
  return needsEscape.test(text) ? JSON.stringify(text).slice(1, -1) : text;
}

/**
 * Whether lines of a format are to be JSON: what it says apart from its fields is a JSON object.
 * @param parts texts, and null for each field
 * @returns of each field, whether it stands within quotes; null for other formats
 */
export function jsonPlaces(parts: readonly (string | null)[]): readonly boolean[] | null {
  const places: boolean[] = [];
  let inString = false;
  let text = "";
  for (const part of parts) {
    if (part === null) {
      places.push(inString);
      // Outside of quotes a value stands alone: there is no number whose other digits are text.
      text += inString ? "x" : "null";
      continue;
    }
    text += part;
    for (const [mark] of part.matchAll(/\\.|"/gs)) if (mark === '"') inString = !inString;
  }
  return isObject(text) ? places : null;
}

function isObject(text: string): boolean {
  if (!text.trimStart().startsWith("{")) return false;
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

import { ConfigError } from "../../api/errors.ts";

/** Splits text into words as a POSIX shell would, without expansions: quotes, backslashes, blanks. */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote: "'" | '"' | null = null;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] as string;
    if (quote !== null) {
      if (char === quote) quote = null;
      // Within double quotes a backslash escapes only what would end them, and itself.
      else if (quote === '"' && char === "\\" && /["\\]/.test(text[at + 1] ?? "")) {
        at += 1;
        word += text[at] as string;
      } else word += char;
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word ??= "";
      if (char === "'" || char === '"') quote = char;
      else if (char === "\\") {
        at += 1;
        if (at === text.length) throw new ConfigError("no character after the last backslash");
        word += text[at] as string;
      } else word += char;
    }
  }
  if (quote !== null) throw new ConfigError(`no closing quotation mark: ${quote}`);
  if (word !== null) words.push(word);
  return words;
}

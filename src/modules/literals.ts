/**
 * Reads a comma-separated list of literals: what JSON knows, and strings in single quotes, names as keys and
 * a comma at the end, as JavaScript allows. Answers null for anything else: nothing is ever evaluated.
 */
export function readLiterals(text: string): unknown[] | null {
  const reader = new LiteralReader(text);
  try {
    return reader.readList("");
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const blank = /\s*/y;
const word = /[\p{ID_Start}$_][\p{ID_Continue}$]*/uy;
const number = /[-+]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w$.])/y;
const string = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/y;

const constants = new Map<string, unknown>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

class LiteralReader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Reads items up to `end`, the empty text being the end of the input. */
  readList(end: "" | "]"): unknown[] {
    const items: unknown[] = [];
    while (!this.#takesEnd(end)) {
      items.push(this.#readValue());
      if (!this.#takes(",")) {
        if (this.#takesEnd(end)) break;
        throw new SyntaxError(`expected a comma at ${this.#position}`);
      }
    }
    return items;
  }

  #readValue(): unknown {
    if (this.#takes("[")) return this.readList("]");
    if (this.#takes("{")) return this.#readObject();
    const text = this.#match(string);
    if (text !== null) return unquote(text);
    const digits = this.#match(number);
    if (digits !== null) return Number(digits);
    const name = this.#match(word) ?? "";
    if (!constants.has(name)) throw new SyntaxError(`no literal at ${this.#position}`);
    return constants.get(name);
  }

  #readObject(): unknown {
    const entries: [string, unknown][] = [];
    while (!this.#takes("}")) {
      const text = this.#match(string);
      const key = text === null ? this.#match(word) : unquote(text);
      if (key === null || !this.#takes(":")) throw new SyntaxError(`no key at ${this.#position}`);
      entries.push([key, this.#readValue()]);
      if (!this.#takes(",")) {
        if (this.#takes("}")) break;
        throw new SyntaxError(`expected a comma at ${this.#position}`);
      }
    }
    // Defines a key named __proto__ like any other.
    return Object.fromEntries(entries);
  }

  #takesEnd(end: string): boolean {
    if (end !== "") return this.#takes(end);
    this.#match(blank);
    return this.#position === this.#text.length;
  }

  #takes(character: string): boolean {
    this.#match(blank);
    if (this.#text[this.#position] !== character) return false;
    this.#position += 1;
    return true;
  }

  #match(pattern: RegExp): string | null {
    if (pattern !== blank) this.#match(blank);
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text);
    if (found === null) return null;
    this.#position = pattern.lastIndex;
    return found[0];
  }
}

/** Leaves the escapes to JSON, which throws SyntaxError for those that it doesn't know. */
function unquote(text: string): string {
  const inner = text.slice(1, -1);
  const body = text.startsWith('"')
    ? inner
    : inner.replace(/\\.|"/g, (found) => (found === "\\'" ? "'" : found === '"' ? '\\"' : found));
  return JSON.parse(`"${body}"`) as string;
}

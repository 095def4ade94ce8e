/** The arguments in a Python logging.conf: `('app.log', 'a', 1024)`, `(sys.stdout,)`, `{'facility': 'local0'}`. */

/** Names that stand for a value there, as dictConfig would write it. */
const names: Readonly<Record<string, unknown>> = {
  True: true,
  False: false,
  None: null,
  "sys.stdout": "ext://sys.stdout",
  "sys.stderr": "ext://sys.stderr",
  "socket.SOCK_STREAM": "ext://socket.SOCK_STREAM",
  "socket.SOCK_DGRAM": "ext://socket.SOCK_DGRAM",
};

const facility = /^(?:logging\.)?(?:handlers\.)?SysLogHandler\.LOG_([A-Z0-9]+)$/;

/** Python's escapes of one character. */
const escapes: Readonly<Record<string, string>> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** How many hexadecimal digits stand behind the letter. */
const hexDigits: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
const lastCodePoint = 0x10ffff;

/** Lists for tuples and lists, objects for dictionaries. Throws SyntaxError with the position, counted from 0. */
export function parsePythonLiteral(text: string): unknown {
  const reader = new Reader(text);
  const value = reader.value();
  reader.end();
  return value;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  end(): void {
    this.#skipBlanks();
    if (this.#at < this.#text.length) this.#fail();
  }

  value(): unknown {
    this.#skipBlanks();
    const first = this.#text[this.#at] ?? "";
    if (first === "(") return this.#list(")");
    if (first === "[") return this.#list("]");
    if (first === "{") return this.#dictionary();
    if (first === "'" || first === '"') return this.#string(first);
    return this.#word();
  }

  /** `(x)` is x in Python, and `(x,)` a tuple; here both are lists, since only arguments are read. */
  #list(close: string): unknown[] {
    this.#at += 1;
    const items: unknown[] = [];
    while (!this.#takes(close)) {
      items.push(this.value());
      if (this.#takes(",")) continue;
      if (!this.#takes(close)) this.#fail();
      break;
    }
    return items;
  }

  #dictionary(): Record<string, unknown> {
    this.#at += 1;
    const entries: [string, unknown][] = [];
    while (!this.#takes("}")) {
      const key = this.value();
      if (typeof key !== "string" || !this.#takes(":")) return this.#fail();
      entries.push([key, this.value()]);
      if (this.#takes(",")) continue;
      if (!this.#takes("}")) this.#fail();
      break;
    }
    return Object.fromEntries(entries);
  }

  #string(quote: string): string {
    let value = "";
    for (this.#at += 1; this.#text[this.#at] !== quote; this.#at += 1) {
      const character = this.#text[this.#at] ?? this.#fail();
      if (character !== "\\") {
        value += character;
        continue;
      }
      value += this.#escape();
    }
    this.#at += 1;
    return value;
  }

  /** Stops at the last character of the escape. */
  #escape(): string {
    const [digits] = /[0-7]{1,3}/y.exec(this.#text.slice(this.#at + 1)) ?? [];
    if (digits !== undefined) {
      this.#at += digits.length;
      return String.fromCodePoint(Number.parseInt(digits, 8));
    }
    const letter = this.#text[this.#at + 1] ?? this.#fail();
    const length = hexDigits[letter];
    if (length !== undefined) {
      const hex = this.#text.slice(this.#at + 2, this.#at + 2 + length);
      const codePoint = Number.parseInt(hex, 16);
      const isWhole = hex.length === length && /^[\da-f]+$/i.test(hex);
      if (!isWhole || codePoint > lastCodePoint) this.#fail();
      this.#at += 1 + length;
      return String.fromCodePoint(codePoint);
    }
    // A character by its name, of which Python has a table.
    if (letter === "N") this.#fail();
    this.#at += 1;
    // Python keeps the backslash of what is no escape.
    return escapes[letter] ?? `\\${letter}`;
  }

  #word(): unknown {
    const [word = ""] = /[\w.+-]*/y.exec(this.#text.slice(this.#at)) ?? [];
    if (/^[+-]?\d+$/.test(word)) {
      this.#at += word.length;
      return Number(word);
    }
    const [, named] = facility.exec(word) ?? [];
    if (named === undefined && !Object.hasOwn(names, word)) this.#fail();
    this.#at += word.length;
    return named === undefined ? names[word] : named.toLowerCase();
  }

  #takes(character: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #skipBlanks(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at += 1;
  }

  #fail(): never {
    throw new SyntaxError(`at ${this.#at}: can't be read as a Python value: ${this.#text}`);
  }
}

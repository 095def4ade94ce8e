/**
 * Kinds of values. `parse` gives the typed value or throws a ConfigError whose message says only
 * what must hold and what was got: the caller, who knows the source, puts the place before it.
 */
import { inspectSafely } from "../../api/thrown.ts";
import { ConfigError, UsageError } from "../../api/errors.ts";

/** What values may depend on. */
export interface Facts {
  /** The directory that the program was started in. */
  readonly cwd: string;
  /** `linux`, as process.platform has it. */
  readonly platform: string;
  /** The number of CPUs that this process may use. */
  cpuCount(): number;
}

export type Unit = "seconds" | "milliseconds" | "bytes";

export interface Kind<Out, In = Out> {
  /** What a flag takes. `list`: it may be repeated. `optional`: its value may be left out. Functions have no flags. */
  readonly takes: "nothing" | "value" | "list" | "optional" | "function";
  readonly metavar: string;
  /** The accepted values in words, for the docs. */
  readonly range: string;
  /** What a number counts, where the kind implies it. */
  readonly unit?: Unit;
  parse(value: unknown, facts: Facts): Out;
  /** A word of the command line as a raw value; throws a UsageError when it can't be one. */
  read?(word: string): unknown;
  /** The raw value of an `optional` flag without a value. */
  readonly bare?: string;
  show(value: Out): string;
  /** Never set: carries the type that a configuration file may use. */
  readonly input?: In;
}

/** A value in a message: text in single quotes, as in Gunicorn's. */
export function quote(value: unknown): string {
  if (typeof value === "string") return `'${value}'`;
  if (typeof value === "function") return "a function";
  return inspectSafely(value, { compact: true, depth: 1 });
}

export function refuse(must: string, value: unknown): never {
  throw new ConfigError(`must be ${must}, got ${quote(value)}`);
}

/** A value as --print-config and help show it: text as it is, the rest as JSON. */
export function show(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "function" ? `<${value.name || "anonymous"}()>` : JSON.stringify(value);
}

export const text: Kind<string> = {
  takes: "value",
  metavar: "STRING",
  range: "text",
  parse(value) {
    return typeof value === "string" ? value.trim() : refuse("text", value);
  },
  show,
};

/** The same kind, with null for "not set". */
export function nullable<Out, In>(kind: Kind<Out, In>): Kind<Out | null, In | null> {
  return {
    ...kind,
    range: `${kind.range}, or null`,
    parse: (value, facts) => (value === null ? null : kind.parse(value, facts)),
    show: (value) => (value === null ? "null" : kind.show(value)),
  } as Kind<Out | null, In | null>;
}

const based = /^\s*[+-]?(?:0x[\da-f]+|0o[0-7]+|0b[01]+|0+|[1-9]\d*)\s*$/i;
const decimal = /^\s*[+-]?\d+\s*$/;

/** A whole number; text in any base that its prefix names. `010` is refused: nobody knows which base it means. */
export function wholeNumber(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  if (typeof value === "string" && based.test(value)) {
    const word = value.trim();
    // Number("-0x10") is NaN: the sign goes first.
    const amount = Number(word.replace(/^[+-]/, ""));
    if (Number.isSafeInteger(amount)) return word.startsWith("-") ? -amount : amount;
  }
  return refuse("a whole number", value);
}

/** On the command line integers are decimal, as in Gunicorn. */
function readDecimal(word: string): number {
  if (!decimal.test(word)) throw new UsageError(`invalid int value: ${quote(word)}`);
  return Number(word);
}

export interface Range {
  readonly min?: number;
  readonly max?: number;
  /** What the number 0 means. */
  readonly zero?: string;
}

export function integer({ min = 0, max, zero }: Range = {}): Kind<number> {
  const least = zero === undefined ? `${min}` : `${min} (${zero})`;
  return {
    takes: "value",
    metavar: "INT",
    range: max === undefined ? `${least} or more` : `${least} to ${max}`,
    parse(value) {
      const number = wholeNumber(value);
      if (number < min) refuse(`at least ${least}`, number);
      if (max !== undefined && number > max) refuse(`from ${least} to ${max}`, number);
      return number;
    },
    read: readDecimal,
    show,
  };
}

/** A number up to a maximum, which 0 means too, as in Gunicorn. */
export function countUpTo(max: number): Kind<number> {
  const count = integer({ max, zero: `acts as ${max}` });
  return { ...count, parse: (value, facts) => count.parse(value, facts) || max };
}

/** Timers count milliseconds in 31 bits, and one second more would fire at once. */
const maxSeconds = 2_147_483;

export function seconds(zero: string): Kind<number> {
  return { ...integer({ zero, max: maxSeconds }), unit: "seconds" };
}

/** `"auto"` becomes the number of CPUs. */
export const workerCount: Kind<number, number | "auto"> = {
  ...integer({ min: 1 }),
  range: "1 or more, or auto",
  parse(value, facts) {
    if (value === "auto") return facts.cpuCount();
    const number = typeof value === "string" && !based.test(value) ? null : wholeNumber(value);
    if (number === null) return refuse("a whole number or auto", value);
    return number < 1 ? refuse("at least 1", number) : number;
  },
  read: (word) => (word === "auto" ? word : readDecimal(word)),
};

/** A file mode: octal on the command line when it starts with 0, as people write it. */
export const fileMode: Kind<number, number | string> = {
  takes: "value",
  metavar: "INT",
  range: "0 to 07777",
  parse(value) {
    const number = wholeNumber(value);
    return number < 0 || number > 0o7777 ? refuse("from 0 to 07777", value) : number;
  },
  read(word) {
    if (/^0[0-7]+$/.test(word)) return Number.parseInt(word, 8);
    if (!based.test(word)) throw new UsageError(`invalid auto_int value: ${quote(word)}`);
    return Number(word);
  },
  show: (value) => (value === 0 ? "0" : `0${value.toString(8)}`),
};

export const boolean: Kind<boolean> = {
  takes: "nothing",
  metavar: "",
  range: "true or false",
  parse(value) {
    if (typeof value === "boolean") return value;
    const word = typeof value === "string" ? value.trim().toLowerCase() : value;
    if (word === "true" || word === "false") return word === "true";
    return refuse("true or false", value);
  },
  show,
};

/** A switch of Gunicorn's, or of a fork, for what is always so here. */
export function alwaysOn(because: string): Kind<boolean> {
  return {
    ...boolean,
    range: "true",
    parse(value, facts) {
      if (boolean.parse(value, facts)) return true;
      throw new ConfigError(`can't be off: ${because}`);
    },
  };
}

/** One text or a list of them. */
export const textList: Kind<readonly string[], string | readonly string[]> = {
  takes: "list",
  metavar: "STRING",
  range: "a text or a list of texts",
  parse(value) {
    if (value === null || value === "") return [];
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    return items.map((item) =>
      typeof item === "string" ? item.trim() : refuse("a text or a list of texts", value),
    );
  },
  show,
};

/** Texts in one, split at commas. */
export const commaList: Kind<readonly string[], string | readonly string[]> = {
  takes: "value",
  metavar: "STRING",
  range: "a comma-separated list",
  parse(value) {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value ?? ""];
    return items
      .flatMap((item) =>
        typeof item === "string" ? item.split(",") : refuse("a comma-separated list", value),
      )
      .map((item) => item.trim())
      .filter((item) => item !== "");
  },
  show: (value) => value.join(","),
};

/** One of some words, in any case. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Kind<Word> {
  const range = `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  return {
    takes: "value",
    metavar: "STRING",
    range,
    parse(value) {
      const got = typeof value === "string" ? value.trim().toLowerCase() : value;
      return words.find((word) => word === got) ?? refuse(range, value);
    },
    show,
  };
}

/** An object with text, or anything, under its names. */
export const dictionary: Kind<Readonly<Record<string, unknown>>> = {
  takes: "value",
  metavar: "DICT",
  range: "an object",
  parse(value) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return refuse("an object", value);
    }
    return structuredClone(value) as Record<string, unknown>;
  },
  show,
};

type Callable = (...args: never) => unknown;

/**
 * A function that takes at most so many parameters; null when none is set. Gunicorn wants the exact
 * number, but a function that leaves out the last ones is right in JavaScript.
 */
export function callable<Hook extends Callable>(parameters: number): Kind<Hook | null> {
  const range = `a function with at most ${parameters} ${parameters === 1 ? "parameter" : "parameters"}`;
  return {
    takes: "function",
    metavar: "FUNCTION",
    range,
    parse(value) {
      if (value === null) return null;
      if (typeof value !== "function") return refuse(range, value);
      if (value.length > parameters) {
        throw new ConfigError(`must be ${range}, got one with ${value.length}`);
      }
      return value as Hook;
    },
    show: (value) => (value === null ? "null" : show(value)),
  };
}

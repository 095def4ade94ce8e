/** What subcommands are, and their flags: described once, for the usage and for the strict reading. */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { BenchError } from "./errors.ts";

export interface Flag {
  readonly type: "string" | "boolean";
  readonly description: string;
  readonly valueHint?: string;
  readonly default?: string;
  readonly multiple?: boolean;
}

export interface Subcommand {
  readonly name: string;
  readonly description: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** What the words without a dash are; absent where there may be none. */
  readonly words?: { readonly name: string; readonly description: string };
  run(words: readonly string[]): Promise<void>;
}

/** The words of a command line, read. */
export interface Options {
  readonly words: readonly string[];
  /** What stands behind `--`. */
  readonly rest: readonly string[];
  on(flag: string): boolean;
  /** The value given, or the default; null without either. */
  text(flag: string): string | null;
  /** Throws BenchError unless it is a number above 0. */
  number(flag: string): number;
  integer(flag: string): number;
  /** The entries that a repeatable flag names, in its order; null when it isn't given. */
  select<T extends { readonly name: string }>(flag: string, all: readonly T[]): T[] | null;
}

/** Throws BenchError for a flag or word that isn't known, or a missing value. */
export function readOptions(subcommand: Subcommand, given: readonly string[]): Options {
  const { flags, words: described } = subcommand;
  const end = given.indexOf("--");
  const { values, positionals } = parse(flags, end === -1 ? given : given.slice(0, end));
  if (described === undefined && positionals.length > 0) {
    throw new BenchError(`Unexpected argument '${positionals[0]}'`);
  }
  const text = (flag: string) => {
    const value = values[flag] ?? flags[flag]?.default;
    return typeof value === "string" ? value : null;
  };
  return {
    words: positionals,
    rest: end === -1 ? [] : given.slice(end + 1),
    on: (flag) => values[flag] === true,
    text,
    number: (flag) => positive(flag, text(flag) ?? "", Number.isFinite),
    integer: (flag) => positive(flag, text(flag) ?? "", Number.isInteger),
    select: (flag, all) => select(flag, values[flag], all),
  };
}

export const workersFlag: Flag = {
  type: "string",
  valueHint: "N",
  description: "Workers (one for each CPU)",
};

/** What workersFlag says. */
export function workersOf(options: Options): number {
  return options.text("workers") === null ? cpus().length : options.integer("workers");
}

function select<T extends { readonly name: string }>(
  flag: string,
  names: unknown,
  all: readonly T[],
): T[] | null {
  if (!Array.isArray(names)) return null;
  return names.map((name) => {
    const found = all.find((candidate) => candidate.name === name);
    if (found !== undefined) return found;
    const known = all.map((candidate) => candidate.name).join(", ");
    throw new BenchError(`--${flag}: must be one of ${known}, got ${name}`);
  });
}

function parse(flags: Readonly<Record<string, Flag>>, words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      strict: true,
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(flags).map(([name, { type, multiple = false }]) => [
          name,
          { type, multiple },
        ]),
      ),
    });
  } catch (error) {
    // ERR_PARSE_ARGS_*: a flag that isn't known, or a missing value.
    if (error instanceof TypeError) throw new BenchError(error.message, { cause: error });
    throw error;
  }
}

function positive(flag: string, text: string, fits: (value: number) => boolean): number {
  const value = Number(text);
  if (text.trim() === "" || !fits(value) || value <= 0) {
    throw new BenchError(`--${flag}: must be a number above 0, got ${text}`);
  }
  return value;
}

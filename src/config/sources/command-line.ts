/**
 * Words to raw values, by the settings table, with argparse's rules and messages: unique prefixes, `-w3`, clusters, `--`.
 * node:util's parseArgs knows none of them, and costs each start 2 ms.
 */
import { UsageError } from "../../api/errors.ts";
import { quote } from "../values/kinds.ts";
import type { Flag, Setting } from "../setting.ts";
import { settingEntries } from "../settings.ts";
import type { SettingKey } from "../types.ts";
import { explainFlags, explainPidFile } from "./foreign-flags.ts";
import { type AskedRequest, readRequests, requestFlags, type RequestPart } from "./requests.ts";
import { explainValue } from "./taken-app.ts";

export interface CommandLine {
  /** Set when -h or -v was met: then nothing behind it was read. */
  readonly asked: "help" | "version" | null;
  /** Raw values: a list for what may be repeated, the last one for the rest. */
  readonly given: ReadonlyMap<SettingKey, unknown>;
  /** What the app is to be asked, in this order. */
  readonly requests: readonly AskedRequest[];
  readonly positionals: readonly string[];
}

/** One long spelling and what it means. */
interface Option {
  readonly spellings: Spellings;
  readonly takes: "nothing" | "value" | "optional";
  readonly bare: string;
  readonly meaning: Meaning;
}

type Meaning = "help" | "version" | RequestMeaning | SettingMeaning;

interface RequestMeaning {
  readonly part: RequestPart;
}

interface SettingMeaning {
  readonly key: SettingKey;
  readonly row: Setting;
  readonly flag: Flag;
}

type Spellings = Pick<Flag, "short" | "long" | "alias">;

/** All spellings of an option, as argparse joins them: `-w/--workers`. */
function labelOf({ spellings: { short, long, alias } }: Option): string {
  return [short, long, alias].filter((word) => word !== undefined).join("/");
}

/** By each word that stands for it. Filled word by word: lists of lists take a master 0.4 ms more (bench: start). */
const options = new Map<string, Option>();

function offer(spellings: Spellings, option: Omit<Option, "spellings">): void {
  const { short, long, alias } = spellings;
  const offered: Option = { spellings, ...option };
  if (short !== undefined) options.set(short, offered);
  options.set(long, offered);
  if (alias !== undefined) options.set(alias, offered);
}

offer({ short: "-h", long: "--help" }, { takes: "nothing", bare: "", meaning: "help" });
offer({ short: "-v", long: "--version" }, { takes: "nothing", bare: "", meaning: "version" });
for (const part of Object.keys(requestFlags) as RequestPart[]) {
  offer(requestFlags[part], { takes: "value", bare: "", meaning: { part } });
}
for (const [key, row] of settingEntries) {
  const { takes: wanted, bare = "" } = row.kind;
  const takes = wanted === "nothing" || wanted === "optional" ? wanted : "value";
  for (const flag of row.flags ?? []) offer(flag, { takes, bare, meaning: { key, row, flag } });
}

/** Throws a UsageError, with argparse's words, for what can't be read. */
export function parseCommandLine(words: readonly string[]): CommandLine {
  const { given: found, positionals, asked, unrecognized } = readWords(words);
  const given = new Map<SettingKey, unknown>();
  const requests: [RequestPart, string][] = [];
  for (const { option, text } of found) {
    if (typeof option.meaning === "string") continue;
    if ("part" in option.meaning) {
      requests.push([option.meaning.part, text ?? ""]);
      continue;
    }
    const { key, row } = option.meaning;
    const mistaken = key === "pidfile" ? explainPidFile(text ?? "") : null;
    if (mistaken !== null) {
      throw new UsageError(`argument ${labelOf(option)}: ${quote(text)} ${mistaken}`);
    }
    const value = readValue(option, option.meaning, text, positionals.length === 0);
    given.set(key, row.kind.takes === "list" ? [...asList(given.get(key)), value] : value);
  }
  if (asked === null && unrecognized.length > 0) {
    const hints = explainFlags(unrecognized);
    const explained = hints === "" ? "" : ` (${hints})`;
    throw new UsageError(`unrecognized arguments: ${unrecognized.join(" ")}${explained}`);
  }
  return { asked, given, requests: readRequests(requests), positionals };
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** @param lacksApp whether no app is named: the value may be it */
function readValue(
  option: Option,
  { key, row, flag }: SettingMeaning,
  value: string | undefined,
  lacksApp: boolean,
): unknown {
  if (value === undefined) return flag.stores ?? true;
  try {
    return row.kind.read === undefined ? value : row.kind.read(value);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    const taken = lacksApp ? explainValue(key, flag.short ?? flag.long, value) : null;
    const hint = taken ?? explainUnit(row, value);
    const explained = hint === null ? "" : ` (${hint})`;
    throw new UsageError(`argument ${labelOf(option)}: ${cause.message}${explained}`, { cause });
  }
}

/** Of `30s`, as other servers take it. */
function explainUnit({ unit, kind }: Setting, value: string): string | null {
  const counted = unit ?? kind.unit;
  const hasUnit = counted !== undefined && /^\d+ ?[a-z]+$/i.test(value);
  return hasUnit ? `a number of ${counted}, without a unit` : null;
}

interface Given {
  readonly option: Option;
  /** Undefined for an option that takes nothing. */
  readonly text: string | undefined;
}

interface Words {
  readonly given: readonly Given[];
  /** The words that aren't options. */
  readonly positionals: readonly string[];
  readonly asked: CommandLine["asked"];
  readonly unrecognized: readonly string[];
}

function readWords(words: readonly string[]): Words {
  const given: Given[] = [];
  const positionals: string[] = [];
  const unrecognized: string[] = [];
  const finish = (asked: CommandLine["asked"]): Words => {
    return { given, positionals, asked, unrecognized };
  };
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] as string;
    if (word === "--") {
      positionals.push(...words.slice(at + 1));
      break;
    }
    if (!looksLikeOption(word)) {
      positionals.push(word);
      continue;
    }
    let found = findOption(word);
    if (found === null) unrecognized.push(word);
    while (found !== null) {
      const { option, attached }: Found = found;
      if (option.takes === "nothing") {
        found = attached === null ? null : nextOfCluster(word, option, attached);
        if (option.meaning === "help" || option.meaning === "version") {
          return finish(option.meaning);
        }
        given.push({ option, text: undefined });
        continue;
      }
      const next = words[at + 1];
      const follows = attached === null && next !== undefined && !looksLikeOption(next);
      if (follows) at += 1;
      const value = attached ?? (follows ? next : undefined);
      if (value === undefined && option.takes === "value") {
        throw new UsageError(`argument ${labelOf(option)}: expected one argument`);
      }
      given.push({ option, text: value ?? option.bare });
      found = null;
    }
  }
  return finish(null);
}

/** A lone dash is a value, and so is a negative number, since no flag looks like one. */
function looksLikeOption(word: string): boolean {
  return word.length > 1 && word.startsWith("-") && !/^-\d+$|^-\d*\.\d+$/.test(word);
}

interface Found {
  readonly option: Option;
  /** What stands in the same word: behind `=`, or behind a short flag. */
  readonly attached: string | null;
}

/** Null for a word that is no option. Throws when it may be several. */
function findOption(word: string): Found | null {
  const whole = options.get(word);
  if (whole !== undefined) return { option: whole, attached: null };
  const equals = word.indexOf("=");
  const name = equals === -1 ? word : word.slice(0, equals);
  const attached = equals === -1 ? null : word.slice(equals + 1);
  const exact = options.get(name);
  if (exact !== undefined) return { option: exact, attached };
  if (!word.startsWith("--")) {
    const option = options.get(word.slice(0, 2));
    return option === undefined ? null : { option, attached: word.slice(2) };
  }
  // Two spellings of one flag aren't two candidates.
  const candidates = new Map<Option, string>();
  for (const [spelling, option] of options) {
    if (spelling.startsWith(name) && !candidates.has(option)) candidates.set(option, spelling);
  }
  if (candidates.size > 1) {
    const matches = [...candidates.values()].join(", ");
    const hints = explainFlags([word]);
    const explained = hints === "" ? "" : ` (${hints})`;
    throw new UsageError(`ambiguous option: ${word} could match ${matches}${explained}`);
  }
  const [option] = candidates.keys();
  return option === undefined ? null : { option, attached };
}

/** The next word of a cluster: `-DR` is `-D -R`. Anything else attached to a flag that takes no value is an error. */
function nextOfCluster(word: string, option: Option, attached: string): Found {
  const next = word.startsWith("--") ? undefined : options.get(`-${attached.slice(0, 1)}`);
  if (next === undefined) {
    throw new UsageError(
      `argument ${labelOf(option)}: ignored explicit argument ${quote(attached)}`,
    );
  }
  const rest = attached.slice(1).replace(/^=/, "");
  return { option: next, attached: rest === "" ? null : rest };
}

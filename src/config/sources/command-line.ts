/**
 * Words to raw values, by the settings table. The words are first spelled out as `--flag=value`,
 * with argparse's rules and messages (unique prefixes, `-w3`, clusters, `--`); node:util's
 * parseArgs, strict, then reads them.
 */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { UsageError } from "../../api/errors.ts";
import { explainFlags, explainPidFile } from "./foreign-flags.ts";
import { quote } from "../values/kinds.ts";
import { type AskedRequest, readRequests, requestFlags, type RequestPart } from "./requests.ts";
import type { Flag, Setting } from "../setting.ts";
import { settingEntries } from "../settings.ts";
import type { SettingKey } from "../types.ts";

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
  readonly label: string;
  readonly long: string;
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

/** All spellings of a flag, as argparse joins them: `-w/--workers`. */
function flagLabel({ short, long, alias }: Flag): string {
  return [short, long, alias].filter((word) => word !== undefined).join("/");
}

function ask(meaning: "help" | "version", short: string): (readonly [string, Option])[] {
  const long = `--${meaning}`;
  const label = `${short}/${long}`;
  const option: Option = { label, long, takes: "nothing", bare: "", meaning };
  return [
    [short, option],
    [long, option],
  ];
}

function requestOption(part: RequestPart): readonly [string, Option] {
  const { long } = requestFlags[part];
  return [long, { label: long, long, takes: "value", bare: "", meaning: { part } }];
}

function spellings(key: SettingKey, row: Setting): (readonly [string, Option])[] {
  return (row.flags ?? []).flatMap((flag) => {
    const { takes, bare = "" } = row.kind;
    const option: Option = {
      label: flagLabel(flag),
      long: flag.long,
      takes: takes === "nothing" || takes === "optional" ? takes : "value",
      bare,
      meaning: { key, row, flag },
    };
    const words = [flag.short, flag.long, flag.alias].filter((word) => word !== undefined);
    return words.map((word) => [word, option] as const);
  });
}

const options: ReadonlyMap<string, Option> = new Map([
  ...ask("help", "-h"),
  ...ask("version", "-v"),
  ...(Object.keys(requestFlags) as RequestPart[]).map(requestOption),
  ...settingEntries.flatMap(([key, row]) => spellings(key, row)),
]);

const parseArgsOptions: NonNullable<ParseArgsConfig["options"]> = Object.fromEntries(
  [...options.values()].map(({ long, takes }) => [
    long.slice(2),
    { type: takes === "nothing" ? "boolean" : "string", multiple: true },
  ]),
);

/** Throws a UsageError, with argparse's words, for what can't be read. */
export function parseCommandLine(words: readonly string[]): CommandLine {
  const { spelled, asked, unrecognized } = spellOut(words);
  const { tokens, positionals } = parseArgs({
    args: spelled,
    options: parseArgsOptions,
    strict: true,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<SettingKey, unknown>();
  const requests: [RequestPart, string][] = [];
  for (const token of tokens) {
    const option = token.kind === "option" ? options.get(`--${token.name}`) : undefined;
    if (token.kind !== "option" || option === undefined) continue;
    if (typeof option.meaning === "string") continue;
    if ("part" in option.meaning) {
      requests.push([option.meaning.part, token.value ?? ""]);
      continue;
    }
    const { key, row, flag } = option.meaning;
    const mistaken = key === "pidfile" ? explainPidFile(token.value ?? "") : null;
    if (mistaken !== null) {
      throw new UsageError(`argument ${option.label}: ${quote(token.value)} ${mistaken}`);
    }
    const value = readValue(option, row, flag, token.value);
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

function readValue(option: Option, row: Setting, flag: Flag, value: string | undefined): unknown {
  if (value === undefined) return flag.stores ?? true;
  try {
    return row.kind.read === undefined ? value : row.kind.read(value);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new UsageError(`argument ${option.label}: ${cause.message}`, { cause });
  }
}

interface Spelled {
  readonly spelled: string[];
  readonly asked: CommandLine["asked"];
  readonly unrecognized: readonly string[];
}

/** Each option as `--long=value`, and behind a `--` the words that aren't options. */
function spellOut(words: readonly string[]): Spelled {
  const spelled: string[] = [];
  const positionals: string[] = [];
  const unrecognized: string[] = [];
  const finish = (asked: CommandLine["asked"]): Spelled => {
    return { spelled: [...spelled, "--", ...positionals], asked, unrecognized };
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
        spelled.push(option.long);
        continue;
      }
      const next = words[at + 1];
      const follows = attached === null && next !== undefined && !looksLikeOption(next);
      if (follows) at += 1;
      const value = attached ?? (follows ? next : undefined);
      if (value === undefined && option.takes === "value") {
        throw new UsageError(`argument ${option.label}: expected one argument`);
      }
      spelled.push(`${option.long}=${value ?? option.bare}`);
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
    throw new UsageError(`argument ${option.label}: ignored explicit argument ${quote(attached)}`);
  }
  const rest = attached.slice(1).replace(/^=/, "");
  return { option: next, attached: rest === "" ? null : rest };
}

/** The words behind `gunicorn-ts ctl`: options, the command, and what stands behind it. */
import { parseArgs } from "node:util";
import { UsageError } from "../../api/errors.ts";
import type { DumpKind } from "../../control/dump.ts";
import {
  type Command,
  CommandError,
  type CommandName,
  commandEntries,
  readCommand,
} from "../../control/commands.ts";
import { explainOption } from "../explain-option.ts";
import { suggest } from "./suggest.ts";

/** Options: of all commands, or of those that are named. */
export const options = {
  socket: {
    short: "s",
    metavar: "PATH",
    description: "The server's control socket",
    of: null,
  },
  pid: {
    short: "p",
    metavar: "FILE",
    description: "The server's pid file, beside which control_socket auto is",
    of: null,
  },
  json: { short: "j", metavar: null, description: "Print the data as JSON", of: null },
  help: { short: "h", metavar: null, description: "Show this text and exit", of: null },
  quick: {
    short: null,
    metavar: null,
    description: "Not even serve what is under way",
    of: ["shutdown"],
  },
  wait: {
    short: null,
    metavar: null,
    description: "Until the new workers serve, or the reload has failed",
    of: ["reload"],
  },
  ready: {
    short: null,
    metavar: null,
    description: "For as many ready workers as wanted",
    of: ["wait"],
  },
  seconds: {
    short: null,
    metavar: "SECONDS",
    description: "For how long to watch (60)",
    of: ["tune"],
  },
  apply: { short: null, metavar: null, description: "Do what is advised", of: ["tune"] },
  timeout: {
    short: null,
    metavar: "SECONDS",
    description: "For how long to wait (60)",
    of: ["wait", "reload", "heap", "profile"],
  },
} as const satisfies Readonly<Record<string, OptionRow>>;

interface OptionRow {
  readonly short: string | null;
  readonly metavar: string | null;
  readonly description: string;
  /** The commands that have it; null: all. */
  readonly of: readonly string[] | null;
}

type OptionName = keyof typeof options;
export const optionEntries = Object.entries(options) as readonly (readonly [
  OptionName,
  OptionRow,
])[];

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** Commands that aren't the server's. */
export const ownCommands = {
  heap: {
    takes: "PID FILE",
    description: "Write a snapshot of a worker's heap, for Chrome's developer tools",
  },
  profile: {
    takes: "PID SECONDS FILE",
    description: "Write a profile of what a worker computes, for Chrome's developer tools",
  },
  wait: { takes: "--ready", description: "Wait until the server is ready" },
  tune: { takes: "", description: "Watch the server, and say how many workers it should have" },
  top: { takes: "", description: "Show the workers as they are, again and again" },
  completion: { takes: "SHELL", description: "Print the completion for bash, zsh or fish" },
} as const;

export type OwnName = keyof typeof ownCommands;

const commandNames = [...commandEntries.map(([name]) => name), ...Object.keys(ownCommands)];

export interface Asked {
  readonly name: CommandName | OwnName;
  /** What the server is sent. */
  readonly words: readonly string[];
  readonly socket: string | null;
  readonly pidFile: string | null;
  readonly json: boolean;
  readonly wait: boolean;
  readonly timeoutMs: number;
  readonly watchMs: number;
  readonly apply: boolean;
}

const usualSeconds = 60;
const leastWatchSeconds = 2;

/** Null when help is asked for, or nothing. Throws UsageError. */
export function readWords(words: readonly string[]): Asked | null {
  const { values, positionals } = parse(words);
  if (values["help"] === true || positionals.length === 0) return null;
  const given = values["quick"] === true ? [...positionals, "quick"] : positionals;
  const name = positionals[0] === "shutdown" ? nameOf(given) : nameOf(positionals);
  for (const [option, { of }] of optionEntries) {
    if (values[option] !== undefined && of !== null && !of.includes(name))
      throw new UsageError(`--${option} belongs to ${of.join(" and ")}, not to ${name}`);
  }
  if (name === "completion" && values["json"] === true)
    throw new UsageError("--json doesn't belong to completion, which prints a script");
  if (values["socket"] !== undefined && values["pid"] !== undefined)
    throw new UsageError("--socket and --pid name two servers");
  if (name === "wait" && values["ready"] !== true)
    throw new UsageError("wait: for what? --ready is missing");
  if (name === "reload" && values["timeout"] !== undefined && values["wait"] !== true)
    throw new UsageError("--timeout belongs to --wait");
  return {
    name,
    words: given,
    socket: textOr(values["socket"], null),
    pidFile: textOr(values["pid"], null),
    json: values["json"] === true,
    wait: values["wait"] === true,
    timeoutMs: 1000 * secondsOf("timeout", values["timeout"]),
    watchMs: 1000 * secondsOf("seconds", values["seconds"], leastWatchSeconds),
    apply: values["apply"] === true,
  };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: Object.fromEntries(
        optionEntries.map(([name, { short, metavar }]) => [
          name,
          { type: metavar === null ? "boolean" : "string", ...(short === null ? {} : { short }) },
        ]),
      ),
      strict: true,
      allowPositionals: true,
    });
  } catch (cause) {
    throw explainOption(cause, (name) => suggest(name, Object.keys(options), "--"));
  }
}

/** The server would refuse them too: here they are an error of usage. */
function nameOf(words: readonly string[]): Asked["name"] {
  const [first = ""] = words;
  if (Object.hasOwn(ownCommands, first)) {
    checkOwn(first as OwnName, words.slice(1));
    return first as OwnName;
  }
  return nameOfServer(words);
}

function nameOfServer(words: readonly string[]): CommandName {
  try {
    return commandNameOf(readCommand(words));
  } catch (cause) {
    if (!(cause instanceof CommandError)) throw cause;
    const isUnknown = cause.message.startsWith("Unknown command: ");
    const hint = isUnknown ? suggest(words[0] ?? "", commandNames) : "";
    throw new UsageError(cause.message + hint, { cause });
  }
}

function checkOwn(name: OwnName, words: readonly string[]): void {
  const [word, more] = words;
  if (name === "completion") {
    if (word !== undefined && more === undefined && isShell(word)) return;
    throw new UsageError(`completion: for which shell, ${shells.join(", ")}?`);
  }
  if (name === "heap" || name === "profile") return checkDump(name, words);
  if (word !== undefined) throw new UsageError(`${name}: takes no words, got '${word}'`);
}

function checkDump(name: DumpKind, words: readonly string[]): void {
  const { takes } = ownCommands[name];
  if (words.length !== takes.split(" ").length)
    throw new UsageError(`${name}: takes ${takes}, got ${words.length} words`);
  // What the server would say to all but the file, which it isn't told.
  nameOfServer([name, ...words.slice(0, -1), "0".repeat(32)]);
}

export function isShell(word: string | undefined): word is Shell {
  return shells.some((shell) => shell === word);
}

function commandNameOf(command: Command): CommandName {
  return command.do === "show" ? `show ${command.what}` : command.do;
}

function textOr<T>(value: unknown, other: T): string | T {
  return typeof value === "string" ? value : other;
}

function secondsOf(option: OptionName, value: unknown, least = 0): number {
  if (value === undefined) return usualSeconds;
  const seconds =
    typeof value === "string" && /^\d{1,6}(?:\.\d+)?$/.test(value) ? Number(value) : -1;
  if (seconds >= least) return seconds;
  const must = least === 0 ? "a number of seconds" : `at least ${least} seconds`;
  throw new UsageError(`--${option} must be ${must}, got '${String(value)}'`);
}

/** All that stand in the help, with what they take. */
export function helpRows(): (readonly [usage: string, description: string])[] {
  const own = Object.entries(ownCommands);
  // What both have looks to users as here.
  const servers = commandEntries.filter(([name]) => !Object.hasOwn(ownCommands, name));
  return [...servers, ...own].map(([name, { takes, description }]) => [
    `${name} ${takes}`.trim(),
    description,
  ]);
}

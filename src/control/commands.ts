/** The commands of the control socket: one table, for the server, `ctl`, its help, its completion and docs/control.md. */
import { type LogLevel, logLevels } from "../log/lines/line-format.ts";
import { type DumpKind, isDumpToken } from "./dump.ts";

/** What a client asks for, understood. */
export type Command =
  | { readonly do: "show"; readonly what: Shown }
  | { readonly do: "help" | "reopen" }
  | { readonly do: "reload" | "upgrade" | "drain" }
  | { readonly do: "shutdown"; readonly how: "graceful" | "quick" }
  | { readonly do: "worker add" | "worker remove"; readonly count: number }
  | { readonly do: "worker kill" | "worker restart"; readonly pid: number }
  | { readonly do: "scale"; readonly workers: number }
  | {
      readonly do: DumpKind;
      readonly pid: number;
      /** How long a profile is; 0 for a heap. */
      readonly seconds: number;
      readonly token: string;
    }
  | { readonly do: "log-level"; readonly level: LogLevel };

export type Shown = "stats" | "workers" | "requests" | "load" | "listeners" | "config";

export interface CommandRow {
  /** What stands behind the name, `[N]`; empty for nothing. */
  readonly takes: string;
  readonly description: string;
  /** Reads the words behind the name; throws CommandError. */
  readonly read: (words: readonly string[]) => Command;
}

/** Why a command can't be read or carried out: one sentence, for whoever has sent it. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

export const commands = {
  "show stats": shows("stats", "How the server is: its phase, workers and requests"),
  "show workers": shows("workers", "Each worker: its slot, age, state, memory and requests"),
  "show requests": shows("requests", "What the workers are busy with"),
  "show load": shows("load", "What workers and machine have to do, as tune watches it"),
  "show listeners": shows("listeners", "The listening sockets"),
  "show config": shows("config", "The settings in use, without what is secret"),
  reload: plain("reload", "Read the configuration again and replace all workers, as HUP"),
  reopen: plain("reopen", "Open the log files anew, as USR1"),
  "worker add": counts("worker add", "Add N workers (1), as TTIN"),
  "worker remove": counts("worker remove", "Remove N workers (1), but not the last one, as TTOU"),
  "worker kill": of("worker kill", "Tell a worker to leave now; its slot gets another one"),
  "worker restart": of(
    "worker restart",
    "Replace a worker; it serves until its successor is ready",
  ),
  scale: {
    takes: "N",
    description: "Have N workers, until the next reload",
    read: (words) => ({ do: "scale", workers: wholeNumber(only("scale", words, "N"), "N", 1) }),
  },
  drain: plain("drain", "Tell clients to go elsewhere, and serve on, until a reload or shutdown"),
  "log-level": {
    takes: "LEVEL",
    description: "Change the level of the error log, until the next reload",
    read: (words) => ({ do: "log-level", level: level(only("log-level", words, "LEVEL")) }),
  },
  heap: {
    takes: "PID TOKEN",
    description: "Send a snapshot of a worker's heap to who has the token, for ctl heap",
    read: ([pid = "", token = "", ...more]) => {
      none("heap", more);
      return { do: "heap", pid: wholeNumber(pid, "PID", 1), seconds: 0, token: dumpToken(token) };
    },
  },
  profile: {
    takes: "PID SECONDS TOKEN",
    description: "Send a profile of a worker to who has the token, for ctl profile",
    read: ([pid = "", seconds = "", token = "", ...more]) => {
      none("profile", more);
      const [number, length] = [wholeNumber(pid, "PID", 1), profileSeconds(seconds)];
      return { do: "profile", pid: number, seconds: length, token: dumpToken(token) };
    },
  },
  upgrade: plain("upgrade", "Start a new master beside this one, as USR2"),
  shutdown: {
    takes: "[graceful|quick]",
    description: "Stop the server: serve what is under way (TERM), or not even that (QUIT)",
    read(words) {
      const how = atMostOne("shutdown", words) ?? "graceful";
      if (how !== "graceful" && how !== "quick")
        throw new CommandError(`shutdown: must be graceful or quick, got '${how}'`);
      return { do: "shutdown", how };
    },
  },
  help: plain("help", "List the commands"),
} as const satisfies Readonly<Record<string, CommandRow>>;

export type CommandName = keyof typeof commands;

export const commandEntries = Object.entries(commands) as readonly (readonly [
  CommandName,
  CommandRow,
])[];

/** A command as help and docs write it: `worker add [N]`. */
export function usageOf(name: CommandName): string {
  return `${name} ${commands[name].takes}`.trim();
}

/**
 * Reads the words of a command, its name first; the name in any case, as in Gunicorn.
 * @throws CommandError
 */
export function readCommand(words: readonly string[]): Command {
  const [first = "", second = ""] = words.map((word) => word.toLowerCase());
  if (first === "") throw new CommandError("Empty command");
  const pair = `${first} ${second}`;
  if (isName(pair)) return commands[pair].read(words.slice(2));
  if (isName(first)) return commands[first].read(words.slice(1));
  const siblings = commandEntries
    .map(([name]) => name.split(" "))
    .filter(([name, rest]) => name === first && rest !== undefined)
    .map(([, rest]) => rest);
  if (siblings.length === 0) throw new CommandError(`Unknown command: ${first}`);
  const choice = siblings.join("|");
  throw new CommandError(
    second === ""
      ? `Missing word behind ${first} (${choice})`
      : `Unknown word behind ${first}: ${second} (${choice})`,
  );
}

function isName(text: string): text is CommandName {
  return Object.hasOwn(commands, text);
}

function shows(what: Shown, description: string): CommandRow {
  const name = `show ${what}`;
  return { takes: "", description, read: (words) => (none(name, words), { do: "show", what }) };
}

function plain(
  name: "reload" | "reopen" | "upgrade" | "drain" | "help",
  description: string,
): CommandRow {
  return { takes: "", description, read: (words) => (none(name, words), { do: name }) };
}

function counts(name: "worker add" | "worker remove", description: string): CommandRow {
  return {
    takes: "[N]",
    description,
    read: (words) => ({ do: name, count: wholeNumber(atMostOne(name, words) ?? "1", "N", 1) }),
  };
}

function of(name: "worker kill" | "worker restart", description: string): CommandRow {
  return {
    takes: "PID",
    description,
    read: (words) => ({ do: name, pid: wholeNumber(only(name, words, "PID"), "PID", 1) }),
  };
}

function none(name: string, [word]: readonly string[]): void {
  if (word !== undefined) throw new CommandError(`${name}: takes nothing, got '${word}'`);
}

function atMostOne(name: string, [word, more]: readonly string[]): string | undefined {
  if (more !== undefined) throw new CommandError(`${name}: takes one word, got '${more}' too`);
  return word;
}

function only(name: string, words: readonly string[], what: string): string {
  const word = atMostOne(name, words);
  if (word === undefined) throw new CommandError(`${name}: ${what} is missing`);
  return word;
}

function wholeNumber(word: string, what: string, least: number): number {
  const value = /^\d{1,10}$/.test(word) ? Number(word) : Number.NaN;
  if (value >= least) return value;
  throw new CommandError(`${what} must be a whole number from ${least} on, got '${word}'`);
}

function level(word: string): LogLevel {
  const found = logLevels.find((each) => each === word.toLowerCase());
  if (found !== undefined) return found;
  throw new CommandError(`LEVEL must be one of ${logLevels.join(", ")}, got '${word}'`);
}

const longestProfileSeconds = 3600;

function profileSeconds(word: string): number {
  const value = /^\d{1,4}(?:\.\d{1,3})?$/.test(word) ? Number(word) : Number.NaN;
  if (value > 0 && value <= longestProfileSeconds) return value;
  throw new CommandError(
    `SECONDS must be a number above 0, and at most ${longestProfileSeconds}, got '${word}'`,
  );
}

function dumpToken(word: string): string {
  if (isDumpToken(word)) return word;
  throw new CommandError("TOKEN must be 32 hexadecimal digits");
}

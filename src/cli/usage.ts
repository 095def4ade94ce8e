/** Help: the arguments of each section's command, laid out in columns that are read from the left. */
import { type ArgDef, type ArgsDef, runCommand } from "citty";
import { sections } from "../config/settings.ts";
import { version } from "../version.ts";
import { defineMain, helpGroups } from "./command.ts";

export const usageLine = "usage: gunicorn-ts [OPTIONS] [APP_MODULE]";

const introduction = `Runs APP_MODULE, the app MODULE:EXPORT, in worker processes.
gunicorn-ts ctl --help: commands to a running server.
gunicorn-ts build --help: one executable of Bun, server and app.
A flag shows its default in brackets. What has no flag is set in gunicorn.conf.ts: docs/settings.md.`;

const flagsWidth = 40;

/** What --help and --version print. */
export async function describe(asked: "help" | "version"): Promise<string> {
  const command = defineMain((what) =>
    what === "help" ? renderHelp() : `gunicorn-ts (version ${version})\n`,
  );
  const { result } = await runCommand(command, { rawArgs: [`--${asked}`] });
  return result as string;
}

/** The text of --help. citty's own usage has one list, without sections, and sets flags flush right. */
export function renderHelp(): string {
  const groups = helpGroups(sections).map(({ title, args }) => `${title}:\n${layOut(args)}`);
  return `${[usageLine, introduction, ...groups].join("\n\n")}\n`;
}

function layOut(args: ArgsDef): string {
  return Object.entries(args)
    .map(([name, arg]) => layOutOne(wordsOf(name, arg), arg.description ?? ""))
    .join("\n");
}

/** The flags of an argument: `-w, --workers=<INT>`. */
function wordsOf(name: string, arg: ArgDef): string {
  const aliases = "alias" in arg ? [arg.alias ?? []].flat() : [];
  const hint = arg.valueHint === undefined ? "" : `=<${arg.valueHint}>`;
  return [...aliases.map((alias) => `-${alias}`), `--${name}`].join(", ") + hint;
}

function layOutOne(flags: string, description: string): string {
  return flags.length < flagsWidth - 2
    ? `  ${flags.padEnd(flagsWidth - 2)}${description}`
    : `  ${flags}\n${" ".repeat(flagsWidth)}${description}`;
}

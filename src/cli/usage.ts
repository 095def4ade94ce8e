/** Help: citty's usage of each section's flags, laid out in columns that are read from the left. */
import { renderUsage } from "citty";
import { sections } from "../config/settings.ts";
import { helpGroups } from "./command.ts";

export const usageLine = "usage: gunicorn-ts [OPTIONS] [APP_MODULE]";

const introduction = `Runs APP_MODULE, the app MODULE:EXPORT, in worker processes.
A flag shows its default in brackets. What has no flag is set in gunicorn.conf.ts: docs/settings.md.`;

const flagsWidth = 40;

export async function renderHelp(): Promise<string> {
  const groups = helpGroups(sections).map(async ({ title, command }) => {
    const options = Bun.stripANSI(await renderUsage(command)).split("\nOPTIONS\n")[1] ?? "";
    const lines = options.split("\n").filter((line) => line.trim() !== "");
    return [`${title}:`, ...lines.map(layOut)].join("\n");
  });
  return `${[usageLine, introduction, ...(await Promise.all(groups))].join("\n\n")}\n`;
}

/** citty sets flags flush right, with two blanks or more before the description. */
function layOut(line: string): string {
  const [flags = "", ...description] = line.trim().split(/ {2,}/);
  const text = description.join("  ");
  return flags.length < flagsWidth - 2
    ? `  ${flags.padEnd(flagsWidth - 2)}${text}`
    : `  ${flags}\n${" ".repeat(flagsWidth)}${text}`;
}

/** Parts of a Markdown file that a subcommand writes, between two comments. */
import { readFileSync, writeFileSync } from "node:fs";
import { BenchError } from "./errors.ts";

/** Puts a text between the markers of that name; throws BenchError when they aren't there. */
export function writeBetweenMarkers(path: string, name: string, text: string): void {
  const { before, from, to } = findMarkers(path, name);
  writeFileSync(path, `${before.slice(0, from)}\n\n${text.trim()}\n\n${before.slice(to)}`);
}

/** The file, and where the part begins and ends in it; throws BenchError when it hasn't the markers, or isn't there. */
export function findMarkers(path: string, name: string) {
  const [begin, end] = [`<!-- bench ${name}: begin -->`, `<!-- bench ${name}: end -->`];
  let before: string;
  try {
    before = readFileSync(path, "utf8");
  } catch (error) {
    throw new BenchError((error as Error).message, { cause: error });
  }
  const from = before.indexOf(begin);
  const to = before.indexOf(end);
  if (from === -1 || to < from)
    throw new BenchError(`${path}: has no lines "${begin}" and "${end}"`);
  return { before, from: from + begin.length, to };
}

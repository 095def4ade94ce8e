/**
 * Leaves of the settings' descriptions what the program prints, the first line: the rest is for docs/settings.md, a third
 * of what a start would read of the bundle's table. Run by `bun run bundle`, on what it has made in dist.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dir, "../dist");

/** A property of minified code, its text in double quotes or backticks, from the line's end on. */
const description =
  /(\bdescription:(["`])(?:(?!\2|\n|\\n)(?:\\.|.))*)(?:\n|\\n)(?:(?!\2)(?:\\.|[^\\]))*(\2)/g;

let trimmed = 0;
const names = readdirSync(folder, { encoding: "utf8", recursive: true });
for (const name of names.filter((each) => each.endsWith(".js"))) {
  const file = join(folder, name);
  const text = readFileSync(file, "utf8");
  const short = text.replaceAll(description, (_all, begin: string, _quote, end: string) => {
    trimmed += 1;
    return begin + end;
  });
  if (short !== text) writeFileSync(file, short);
}
if (trimmed === 0) throw new Error(`${folder} has no description of more than a line`);

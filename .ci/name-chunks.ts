/**
 * Numbers the files that the bundle's programs share, `start-HASH-1.js`, `log-file-HASH-2.js`, ... in the order in which
 * they are run, with one hash of them all. Bun gives each a hash of its own, thousands of characters that no packer makes
 * smaller, and with it a place by chance: 6 of 400 kB. Without any hash, a server whose package is replaced under it would
 * import what belongs to another version. Run by `bun run bundle`, on what it has made in dist.
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dir, "../dist");
const ofBun = /[a-z0-9-]+-[a-z0-9]{8}\.js/g;

const files = readdirSync(folder, { encoding: "utf8", recursive: true })
  .filter((name) => name.endsWith(".js"))
  .sort();
const texts = new Map(files.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
const shared = new Set(files.filter((name) => name.replace(ofBun, "") === ""));

const seen = new Set<string>();
const ordered: string[] = [];
for (const name of files) if (!shared.has(name)) visit(name);
const lost = [...shared].filter((name) => !seen.has(name));
if (lost.length > 0) throw new Error(`no program imports ${lost.join(", ")}`);

/** As modules are run: what one imports comes before it. */
function visit(name: string): void {
  for (const imported of texts.get(name)?.match(ofBun) ?? []) {
    if (!shared.has(imported) || seen.has(imported)) continue;
    seen.add(imported);
    visit(imported);
    ordered.push(imported);
  }
}

const numbers = new Map(ordered.map((name, index) => [name, index + 1]));

function named(text: string, hash: string): string {
  return text.replaceAll(ofBun, (name) => {
    const number = numbers.get(name);
    // What an error names still says what it was.
    return number === undefined
      ? name
      : `${name.slice(0, -"12345678.js".length)}${hash}-${number}.js`;
  });
}

const whole = Bun.hash(
  [...texts.values()]
    .map((text) => named(text, ""))
    .sort()
    .join("\n"),
);
const hash = whole.toString(36).padStart(8, "0").slice(-8);
for (const [name, text] of texts) writeFileSync(join(folder, name), named(text, hash));
for (const name of shared) renameSync(join(folder, name), join(folder, named(name, hash)));

/**
 * Packages that a few tests want, of a folder's own package.json: installed when they are missing, never by a plain
 * installation.
 */
import { statSync } from "node:fs";
import { join } from "node:path";

/**
 * Installs what a folder's bun.lock names, unless it is there. What it answers ends the name of the tests: empty, or the reason why
 * the packages aren't there, which `.ci/verdict.ts` reads.
 */
export async function packagesOf(folder: string): Promise<string> {
  return areInstalled(folder) ? "" : install(folder);
}

/**
 * Test files run at the same time: one installs, the others wait for it, and do nothing then. A registry that doesn't
 * answer is asked again for about a minute.
 */
async function install(folder: string): Promise<string> {
  const script = `[ node_modules/.installed -nt bun.lock ] && exit
    for pause in 5 15 30 0; do
      "$0" install --frozen-lockfile && exec touch node_modules/.installed
      sleep $pause
    done
    exit 1`;
  const installing = Bun.spawn(["flock", ".", "sh", "-c", script, process.execPath], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said = await installing.stderr.text();
  if ((await installing.exited) === 0) return "";
  const reason = [...said.matchAll(/^error: (.*)$/gm)].at(-1)?.[1] ?? said.trim();
  return ` (needs its packages: ${reason})`;
}

function areInstalled(folder: string): boolean {
  const [made, wanted] = ["node_modules/.installed", "bun.lock"].map(
    (file) => statSync(join(folder, file), { throwIfNoEntry: false })?.mtimeMs ?? null,
  );
  return made != null && wanted != null && made >= wanted;
}

/** The packages that the apps are made of: package.json of this folder, installed when a test wants them and they are missing. */
import { statSync } from "node:fs";
import { join } from "node:path";

const folder = import.meta.dir;
const stamp = join(folder, "node_modules/.installed");

/** Ends the name of the tests: empty, or the reason why the packages aren't there. `.ci/verdict.ts` reads it. */
export const needsPackages = areInstalled() ? "" : await install();

/**
 * Test files run at the same time: one installs, the others wait for it, and do nothing then. A registry that doesn't
 * answer is asked again for about a minute.
 */
async function install(): Promise<string> {
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

function areInstalled(): boolean {
  const [made, wanted] = [stamp, join(folder, "bun.lock")].map(
    (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null,
  );
  return made != null && wanted != null && made >= wanted;
}

/** The packages that the apps are made of: package.json of this folder, installed when a test wants them and they are missing. */
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = import.meta.dir;
const stamp = join(folder, "node_modules/.installed");

/** Ends the name of the tests: empty, or the reason why the packages aren't there. */
export const needsPackages = areInstalled() ? "" : await install();

/** Test files run at the same time: one installs, the others wait for it. */
async function install(): Promise<string> {
  const command = [process.execPath, "install", "--frozen-lockfile"];
  const installing = Bun.spawn(["flock", ".", ...command], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said = await installing.stderr.text();
  if ((await installing.exited) !== 0) {
    const reason = /^error: (.*)$/m.exec(said)?.[1] ?? said.trim();
    return ` (needs its packages: ${reason})`;
  }
  writeFileSync(stamp, "");
  return "";
}

function areInstalled(): boolean {
  const [made, wanted] = [stamp, join(folder, "bun.lock")].map(
    (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null,
  );
  return made != null && wanted != null && made >= wanted;
}

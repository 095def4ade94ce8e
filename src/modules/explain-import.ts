/** What is missing where an import has failed, and what would mend it. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { textProperty } from "../api/thrown.ts";
import { findVisible, isPath } from "./find.ts";
import { isInstalled, packageName } from "./packages.ts";
import { suggestModule } from "./suggest.ts";

/** As npm has them; aliases of a tsconfig.json (`@/db`, `~/db`) are none. */
const packageNames = /^(?:@[\w.-]+\/)?[\w.-]+$/;

/** A sentence about what Bun couldn't resolve; null for any other error, and for what there is nothing to say of. */
export function explainImport(error: unknown): string | null {
  if (textProperty(error, "name") !== "ResolveMessage") return null;
  const specifier = textProperty(error, "specifier");
  const referrer = textProperty(error, "referrer");
  if (specifier === null || referrer === null) return null;
  const folder = dirname(referrer);
  if (isPath(specifier)) {
    const meant = suggestModule(specifier, folder);
    return meant === null ? null : `did you mean '${meant}'?`;
  }
  const beside = findVisible(join(folder, specifier));
  if (beside !== null)
    return `${basename(beside)} stands beside it: a path begins with ./, did you mean './${specifier}'?`;
  const name = packageName(specifier);
  if (!packageNames.test(name) || isInstalled(specifier, folder)) return null;
  return `${name} isn't installed: ${isListed(name, folder) ? "bun install" : `bun add ${name}`}`;
}

/** Whether the package.json of a folder names the package. */
function isListed(name: string, folder: string): boolean {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return folder !== dirname(folder) && isListed(name, dirname(folder));
  try {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(file, "utf8"));
    return Object.hasOwn({ ...dependencies, ...devDependencies }, name);
  } catch {
    // Not JSON, or no object: nothing is listed.
    return false;
  }
}

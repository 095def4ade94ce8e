/** Packages that a configuration file imports and that aren't there. */
import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname } from "node:path";
import { ConfigError } from "../../api/errors.ts";
import { findModule, isPath } from "../../modules/find.ts";
import { ownPackage } from "../../modules/own-package.ts";
import { asksRegistry, isInstalled, packageName } from "../../modules/packages.ts";
import { fileLabel } from "./find-file.ts";

/**
 * Refuses what Bun would fetch from the registry and run: packages that the file or its own modules import.
 * @throws ConfigError
 */
export function refuseMissingPackages(path: string, cwd: string): void {
  const seen = new Set<string>();
  const open = [path];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    const folder = dirname(file);
    if (seen.has(file) || !asksRegistry(folder)) continue;
    seen.add(file);
    for (const specifier of importsOf(file)) {
      if (isPath(specifier)) {
        const imported = findModule(specifier, folder);
        if (imported !== null) open.push(imported);
        continue;
      }
      const bare = !/^(?:#|[a-z]+:)/.test(specifier) && !isBuiltin(specifier);
      if (!bare || isInstalled(specifier, folder)) continue;
      const name = packageName(specifier);
      if (specifier === ownPackage) continue;
      throw new ConfigError(`${fileLabel(file, cwd)}: ${name} isn't installed: bun add ${name}`);
    }
  }
}

function importsOf(path: string): string[] {
  try {
    const loader = path.endsWith("x") ? "tsx" : "ts";
    const imports = new Bun.Transpiler({ loader }).scanImports(readFileSync(path, "utf8"));
    return imports.map((each) => each.path);
  } catch {
    // Not parsable: the import says where.
    return [];
  }
}

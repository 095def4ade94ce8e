/** Which file a module's name means, seen from a folder. */
import { statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { isInstalled } from "./packages.ts";

/** What a name may be written without, in the order in which they are tried. */
export const moduleExtensions: readonly string[] = [
  ".ts",
  ".tsx",
  ".mts",
  ".js",
  ".mjs",
  ".cjs",
  ".jsx",
];

/**
 * The file that a name means: a path seen from `folder`, else a package that is installed, or an alias of package.json
 * (`#name`). Null if there is none.
 * @throws what Bun's resolver throws for a package that has no such file
 */
export function findModule(
  name: string,
  folder: string,
  extensions = moduleExtensions,
): string | null {
  const file = findFile(resolve(folder, name), extensions);
  return file ?? (isPath(name) ? null : findPackage(name, folder));
}

/** The file of a package or an alias; null if no such package is installed. Throws as findModule. */
export function findPackage(name: string, folder: string): string | null {
  const maybe = name.startsWith("#") || isInstalled(name, folder);
  return maybe ? Bun.resolveSync(name, folder) : null;
}

/** Whether a name can't be a package's. */
export function isPath(name: string): boolean {
  return isAbsolute(name) || /^\.\.?(\/|$)/.test(name);
}

/**
 * The file that an absolute path means, with or without its extension, or as a folder with an index; null if there is
 * none.
 */
export function findFile(path: string, extensions = moduleExtensions): string | null {
  return fileCandidates(path, extensions).find(isFile) ?? null;
}

/** The same for what is only said of an error: what can't be looked at, behind a closed folder or a loop of links, isn't there. */
export function findVisible(path: string): string | null {
  try {
    return findFile(path);
  } catch {
    return null;
  }
}

/** The paths of all files that `path` may mean, the first choice first. */
export function fileCandidates(path: string, extensions: readonly string[]): string[] {
  return [
    path,
    ...extensions.map((extension) => path + extension),
    ...extensions.map((extension) => join(path, `index${extension}`)),
  ];
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

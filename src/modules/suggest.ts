/** What a module that isn't there may have been meant to be, and what is there instead. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { findVisible, isPath, moduleExtensions } from "./find.ts";
import { nearest } from "./nearest.ts";

/** Names that the file of an app has. */
const usualNames = ["app", "server", "main", "index"];

/** Where sources are in many projects. */
const usualFolder = "src";

/**
 * The module that `name` may mean, as it is written from `folder`: a misspelt one, a file of a folder, or one of the
 * folder of sources. Null for nothing that is near.
 */
export function suggestModule(name: string, folder: string): string | null {
  if (name.startsWith("#") || name.endsWith("/")) return null;
  const path = resolve(folder, name);
  if (isFolder(path)) {
    const files = modulesIn(path);
    const found = usualNames.find((each) => files.includes(each)) ?? onlyOne(files);
    return found === null ? null : `${name}/${found}`;
  }
  const near = nearest(basename(name), namesIn(dirname(path)));
  if (near !== null) return name.slice(0, -basename(name).length) + near;
  // Seen from the folder above, or from the one inside.
  const dot = isPath(name) ? "./" : "";
  const others = [`${dot}${usualFolder}/${name.replace(/^\.\//, "")}`, dot + basename(name)];
  const isOther = (each: string) => each !== name && !each.includes("/../");
  return (
    others.find((each) => isOther(each) && findVisible(resolve(folder, each)) !== null) ?? null
  );
}

/** What stands where a module was looked for, and is none; null for nothing. */
export function describeFound(name: string, folder: string): string | null {
  const path = resolve(folder, name);
  if (isFolder(path)) return `${path} is a folder without an index.ts`;
  if (existsSync(`${path}.py`)) return `${path}.py is Python's`;
  return null;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    // It can't be looked at: nothing is known of it.
    return false;
  }
}

/** The modules of a folder without their extensions. */
function modulesIn(folder: string): string[] {
  return filesIn(folder).map((file) => basename(file, extname(file)));
}

/** As somebody may write them: with their extensions, and without. */
function namesIn(folder: string): string[] {
  return [...modulesIn(folder), ...filesIn(folder)];
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => moduleExtensions.includes(extname(file)));
  } catch {
    // There is no such folder, or it can't be read: nothing is known to be meant.
    return [];
  }
}

function onlyOne(names: readonly string[]): string | null {
  return names.length === 1 ? (names[0] ?? null) : null;
}

/** Of `app.fetch`: that it stands for `app:fetch`, if there is such a module. */
export function dottedExport(name: string, folder: string): string | null {
  const at = name.lastIndexOf(".");
  const [module, exported] = [name.slice(0, at), name.slice(at + 1)];
  if (at < 1 || !/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(exported)) return null;
  return findVisible(resolve(folder, module)) === null ? null : `${module}:${exported}`;
}

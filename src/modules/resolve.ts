import { resolve } from "node:path";
import { builtApp, builtAppFile, ownFile } from "../own-files.ts";
import { AppImportError } from "./errors.ts";
import { findModule, findVisible, isPath, moduleExtensions } from "./find.ts";
import { parseReference, type Reference } from "./reference.ts";
import { didYouMean } from "./nearest.ts";
import { describeFound, dottedExport, suggestModule } from "./suggest.ts";

/** The module of the app that is inside of this executable: by its name none of the disk is meant. */
const builtModule = builtApp === null ? null : parseReference(builtApp).module;

/** The file that MODULE means, seen from `cwd`. Throws AppImportError. */
export function resolveModule(reference: Reference, cwd: string): string {
  const { module } = reference;
  if (module === builtModule) return ownFile(builtAppFile);
  const message = `No module named '${module}'`;
  const file = find(module, cwd, message);
  if (file !== null) return file;
  throw new AppImportError(message + explain(reference, cwd));
}

/** What is there, and what may have been meant. */
function explain(reference: Reference, cwd: string): string {
  const { module, target } = reference;
  const exported = target === null ? "" : `:${target.text}`;
  const dotted = dottedPath(module, cwd);
  const path = dotted ?? suggestModule(module, cwd);
  const meant =
    path === null && target === null ? dottedExport(module, cwd) : path && path + exported;
  const hint = didYouMean(meant && `'${meant}'`);
  if (dotted !== null) return hint;
  const found = describeFound(module, cwd);
  if (found !== null) return `: ${found}${hint}`;
  const tried = `no such file in ${cwd} (with or without ${moduleExtensions.join(", ")})`;
  return `: ${tried}${isPath(module) ? "" : ", and no such package"}${hint}`;
}

function find(module: string, cwd: string, message: string): string | null {
  try {
    return findModule(module, cwd);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppImportError(`${message}: ${reason}`, { cause: error });
  }
}

/** Python's way to write a path, `pkg.mod`, as it is written here. */
function dottedPath(module: string, cwd: string): string | null {
  const path = module.replaceAll(".", "/");
  if (/[/\\]|^\.|\.$/.test(module) || path === module) return null;
  return findVisible(resolve(cwd, path)) === null ? null : path;
}

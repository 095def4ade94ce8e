import { statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { isInstalled } from "./packages.ts";
import { AppImportError } from "./errors.ts";
import type { Reference } from "./reference.ts";

const extensions = [".ts", ".tsx", ".mts", ".js", ".mjs", ".cjs", ".jsx"];

/** The file that MODULE means, seen from `cwd`: a path first, then a package. Throws AppImportError. */
export function resolveModule(reference: Reference, cwd: string): string {
  const { module } = reference;
  const file = findFile(resolve(cwd, module));
  if (file !== null) return file;
  const isPath = isAbsolute(module) || /^\.\.?(\/|$)/.test(module);
  if (!isPath && mayBePackage(module, cwd)) return resolvePackage(module, cwd);
  const message = `No module named '${module}'`;
  const meant = dottedPath(reference, cwd);
  if (meant !== null) throw new AppImportError(`${message}, did you mean '${meant}'?`);
  const tried = `no such file in ${cwd} (with or without ${extensions.join(", ")})`;
  throw new AppImportError(`${message}: ${tried}${isPath ? "" : ", and no such package"}`);
}

function findFile(path: string): string | null {
  const candidates = [
    path,
    ...extensions.map((extension) => path + extension),
    ...extensions.map((extension) => join(path, `index${extension}`)),
  ];
  return candidates.find(isFile) ?? null;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Whether a resolver may be asked. */
function mayBePackage(module: string, cwd: string): boolean {
  return module.startsWith("#") || isInstalled(module, cwd);
}

function resolvePackage(module: string, cwd: string): string {
  try {
    return Bun.resolveSync(module, cwd);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppImportError(`No module named '${module}': ${reason}`, { cause: error });
  }
}

/** Python's way to write a path, `pkg.mod:app`, as it is written here. */
function dottedPath({ module, target }: Reference, cwd: string): string | null {
  const path = module.replaceAll(".", "/");
  if (/[/\\]|^\.|\.$/.test(module) || path === module) return null;
  return findFile(resolve(cwd, path)) === null ? null : path + (target ? `:${target.text}` : "");
}

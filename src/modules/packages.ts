/**
 * Where no node_modules is, Bun fetches a missing package from the registry and runs it: a typing error must not run a
 * stranger's code. Workers are started with --no-install; the master looks for itself.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { isExecutable } from "../own-files.ts";

/**
 * Whether a bare specifier (`name/path`, `@scope/name`) names a package that stands in a node_modules above `folder`.
 */
export function isInstalled(specifier: string, folder: string): boolean {
  return existsAbove(join("node_modules", packageName(specifier)), folder);
}

/** Whether Bun would ask the registry for what it doesn't find from `folder`; an executable never does. */
export function asksRegistry(folder: string): boolean {
  return !isExecutable && !existsAbove("node_modules", folder);
}

export function packageName(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

function existsAbove(name: string, start: string): boolean {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return true;
    if (folder === dirname(folder)) return false;
  }
}

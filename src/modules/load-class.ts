/** A class that a setting names by MODULE:CLASS. Every error is one sentence that begins with the setting. */
import { basename } from "node:path";
import { ConfigError } from "../api/errors.ts";
import { inspectSafely } from "../api/thrown.ts";
import { describeError } from "../log/lines/describe-error.ts";
import { AppImportError } from "./errors.ts";
import { explainImport } from "./explain-import.ts";
import { findModule } from "./find.ts";
import { importModule, withoutLoad } from "./import.ts";
import { didYouMean, nearest } from "./nearest.ts";
import { parseReference, type Reference } from "./reference.ts";
import { suggestModule } from "./suggest.ts";

/** What its instances are is the caller's to find out. */
export type LoadedClass = new (...args: never[]) => object;

export interface ClassReference {
  /** The setting's key. */
  readonly setting: string;
  /** MODULE:CLASS. */
  readonly text: string;
  /** Where MODULE is looked for, as a path or a package. */
  readonly folder: string;
  /** As importModule takes it: another one evaluates the module anew. */
  readonly load?: number;
}

/** @throws ConfigError when there is no such class, or its module can't be imported */
export async function loadClass(reference: ClassReference): Promise<LoadedClass> {
  const { setting, text, load = 0 } = reference;
  const { module, name } = readReference(reference);
  const path = findClassModule(module, reference);
  const exports = await importClass(path, reference, load);
  const place = `${setting}: '${text}'`;
  if (!Object.hasOwn(exports, name)) {
    const names = Object.keys(exports);
    const near = nearest(name, names);
    const hint = didYouMean(near && `'${module}:${near}'`);
    const all = names.join(", ") || "nothing";
    throw new ConfigError(`${place}: no class ${name}, ${basename(path)} exports ${all}${hint}`);
  }
  const found = exports[name];
  // Arrow functions and methods have none, and can't be called by new.
  if (typeof found === "function" && found.prototype !== undefined) return found as LoadedClass;
  const got =
    typeof found === "function" ? "a function" : inspectSafely(found, { compact: true, depth: 0 });
  throw new ConfigError(`${place}: ${name} must be a class, got ${got}`);
}

function readReference({ setting, text }: ClassReference): {
  readonly module: string;
  readonly name: string;
} {
  const { module, target } = parse(text) ?? { module: "", target: null };
  const [name, ...more] = target?.path ?? [];
  if (name === undefined || more.length > 0 || target?.call !== null) {
    throw new ConfigError(`${setting}: must be MODULE:CLASS, got '${text}'`);
  }
  return { module, name };
}

function parse(text: string): Reference | null {
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof AppImportError) return null;
    throw error;
  }
}

function findClassModule(module: string, { setting, folder }: ClassReference): string {
  let cause: unknown;
  try {
    const path = findModule(module, folder);
    if (path !== null) return path;
  } catch (error) {
    cause = error;
  }
  const meant = suggestModule(module, folder);
  const hint = didYouMean(meant && `'${meant}'`);
  throw new ConfigError(`${setting}: no module named '${module}' in ${folder}${hint}`, { cause });
}

async function importClass(
  path: string,
  { setting, text }: ClassReference,
  load: number,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await importModule(path, load);
  } catch (cause) {
    const [line = ""] = withoutLoad(describeError(cause)).split("\n");
    const hint = explainImport(cause);
    const why = hint === null ? line : `${line}: ${hint}`;
    throw new ConfigError(`${setting}: '${text}': ${why}`, { cause });
  }
}

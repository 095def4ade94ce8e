/**
 * The configuration file, imported and read into raw values by setting. Imported itself only where there is one (bench:
 * start).
 */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { inspectSafely, isA, messageOf, propertyOf, textProperty } from "../../api/thrown.ts";
import { explainImport } from "../../modules/explain-import.ts";
import { importModule, withoutLoad } from "../../modules/import.ts";
import { didYouMean } from "../../modules/nearest.ts";
import { provideOwnPackageFor } from "../../modules/own-package.ts";
import { asksRegistry } from "../../modules/packages.ts";
import { ConfigError } from "../../api/errors.ts";
import type { ServerHooks } from "../../api/hooks.ts";
import { settingEntries, settings } from "../settings.ts";
import type { SettingKey } from "../types.ts";
import { fileLabel } from "./find-file.ts";
import { suggestSetting } from "./suggest.ts";

/**
 * The file's raw values by setting. Another `generation` evaluates the file again.
 */
export async function readConfigFile(
  path: string,
  cwd: string,
  generation: number,
): Promise<ReadonlyMap<SettingKey, unknown>> {
  const label = fileLabel(path, cwd);
  const { values, named } = await importValues(path, label, cwd, generation);
  const given = new Map<SettingKey, unknown>();
  for (const [name, value] of Object.entries(values)) {
    if (!Object.hasOwn(settings, name)) throw new ConfigError(`${label}: ${unknown(name, named)}`);
    if (name === "config") {
      const only = "only the command line and GUNICORN_CMD_ARGS may set it";
      throw new ConfigError(`${label}: config: ${only}`);
    }
    if (value !== undefined) given.set(name as SettingKey, value);
  }
  return given;
}

/** The hooks that the file sets, for a worker, which imports it for itself. */
export async function loadHooks(file: string): Promise<Partial<ServerHooks>> {
  const { values } = await importValues(file, file, process.cwd(), 1);
  const hooks = settingEntries
    .filter(([key, { kind }]) => kind.takes === "function" && typeof values[key] === "function")
    .map(([key]) => [key, values[key]]);
  return Object.fromEntries(hooks) as Partial<ServerHooks>;
}

function unknown(name: string, named: boolean): string {
  const suggestion = suggestSetting(name);
  if (suggestion !== null) return `${name}: unknown setting${didYouMean(suggestion)}`;
  const hint = named ? "; every export is taken for a setting, so helpers stay unexported" : "";
  return `${name}: unknown setting${hint}`;
}

interface Values {
  readonly values: Readonly<Record<string, unknown>>;
  /** Whether the values are named exports, not those of the default one. */
  readonly named: boolean;
}

async function importValues(
  path: string,
  label: string,
  cwd: string,
  generation: number,
): Promise<Values> {
  const exports = await importExports(path, label, cwd, generation);
  const named = namesBeside(exports);
  if (!("default" in exports)) {
    if (named.length === 0) throw new ConfigError(`${label}: exports nothing`);
    return { values: exports, named: true };
  }
  if (named.length > 0) {
    const both = `has a default export and ${named.join(", ")}`;
    throw new ConfigError(`${label}: ${both}: settings stand in one or the other`);
  }
  const { default: values } = exports;
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    const got = values === null ? "null" : Array.isArray(values) ? "an array" : typeof values;
    throw new ConfigError(`${label}: the default export must be an object of settings, got ${got}`);
  }
  return { values: values as Record<string, unknown>, named: false };
}

/** The named exports beside a default one. CommonJS has none: Bun gives the properties of `module.exports` as such, too. */
function namesBeside(exports: Readonly<Record<string, unknown>>): string[] {
  const { default: values, ...named } = exports;
  const isCopied = (name: string) =>
    typeof values === "object" && Object.is(propertyOf(values, name), named[name]);
  const names = Object.keys(named);
  return "default" in exports && names.every(isCopied) ? [] : names;
}

async function importExports(
  path: string,
  label: string,
  cwd: string,
  generation: number,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    // Bun gives a JSON file's names as exports too: read as text, it has a default one only.
    if (path.endsWith(".json")) return { default: JSON.parse(readFileSync(path, "utf8")) };
    provideOwnPackageFor(path);
    if (asksRegistry(dirname(path))) {
      const { refuseMissingPackages } = await import("./missing-packages.ts");
      refuseMissingPackages(path, cwd);
    }
    return await importModule(path, generation);
  } catch (cause) {
    if (isA(cause, ConfigError)) throw cause;
    throw new ConfigError(describeFailure(cause, path, label, cwd), { cause });
  }
}

interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `gunicorn.conf.ts:3:7: message`, or with the place behind the name when it is in another file. */
function describeFailure(thrown: unknown, path: string, label: string, cwd: string): string {
  // A syntax error comes as BuildMessages, the first of which is the one that matters.
  const errors = isA(thrown, AggregateError) ? propertyOf(thrown, "errors") : null;
  const error = propertyOf(errors, "0") ?? thrown;
  const [line = ""] = textOf(error).split("\n");
  const hint = explainImport(error);
  const message = hint === null ? line : `${line}: ${hint}`;
  const position = path.endsWith(".json") ? null : positionOf(error);
  if (position === null) return `${label}: ${message}`;
  const place = `${fileLabel(position.file, cwd)}:${position.line}:${position.column}`;
  return position.file === path ? `${place}: ${message}` : `${label}: ${place}: ${message}`;
}

function textOf(error: unknown): string {
  if (!isA(error, Error)) return inspectSafely(error);
  const message = withoutLoad(messageOf(error));
  const name = textProperty(error, "name") ?? "Error";
  const ownName = ["Error", "SyntaxError", "BuildMessage", "ResolveMessage"].includes(name);
  return ownName ? message : `${name}: ${message}`;
}

/** Where Bun says that an error comes from: a BuildMessage's position, or an Error's own fields. */
function positionOf(error: unknown): Position | null {
  if (!isA(error, Error)) return null;
  const position = propertyOf(error, "position");
  const source = textProperty(error, "sourceURL");
  return (
    placeOf(textProperty(position, "file"), position) ??
    placeOf(source?.startsWith("/") ? withoutLoad(source) : null, error)
  );
}

function placeOf(file: string | null, holder: unknown): Position | null {
  const [line, column] = [propertyOf(holder, "line"), propertyOf(holder, "column")];
  if (!file || typeof line !== "number" || typeof column !== "number") return null;
  return { file, line, column };
}

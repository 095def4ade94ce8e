/** The configuration file: which one it is, and how messages name it. */
import { relative, resolve } from "node:path";
import { findModule, findPackage, isFile, isPath, moduleExtensions } from "../../modules/find.ts";
import { ConfigError } from "../../api/errors.ts";

const standardNames = ["ts", "js", "mjs", "json"].map((suffix) => `gunicorn.conf.${suffix}`);

/**
 * The absolute path of the file that `reference` (PATH, file:PATH or module:NAME) names, or of the
 * standard one in `cwd`; null if there is none.
 */
export function findConfigFile(reference: string | null, cwd: string): string | null {
  if (reference === null) {
    const found = standardNames.filter((name) => isFile(resolve(cwd, name)));
    if (found.length > 1) {
      throw new ConfigError(
        `${found.join(" and ")} both exist: keep one, or name one with --config`,
      );
    }
    return found[0] === undefined ? null : resolve(cwd, found[0]);
  }
  const [, scheme, name = reference] = /^(file|module|python):(.*)$/s.exec(reference) ?? [];
  if (scheme === "python") throw new ConfigError(`${reference}: Python only; use module:NAME`);
  if (scheme === "module") return resolveModule(name, cwd);
  const path = resolve(cwd, name.replace(/^\/\/(?=\/)/, ""));
  if (!isFile(path)) throw new ConfigError(`'${name}' doesn't exist`);
  if (!/\.(?:[cm]?[jt]s|json)$/.test(path)) {
    throw new ConfigError(`must be a .ts, .js, .mjs or .json file, got '${name}'`);
  }
  return path;
}

function resolveModule(name: string, cwd: string): string {
  const message = `can't find module '${name}'`;
  try {
    const path = isPath(name)
      ? findModule(name, cwd, [...moduleExtensions, ".json"])
      : findPackage(name, cwd);
    if (path !== null) return path;
  } catch (cause) {
    throw new ConfigError(message, { cause });
  }
  throw new ConfigError(message);
}

/** How messages name a file: from where the program was started, if it is below. */
export function fileLabel(path: string, cwd: string): string {
  const label = relative(cwd, path);
  return label === "" || label.startsWith("..") ? path : label;
}

/** Kinds of paths that have to be there. The contract is that of kinds.ts. */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError } from "../../api/errors.ts";
import { commaList, type Kind, quote, refuse, text, textList } from "./kinds.ts";

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** A directory to change to: absolute from here on. */
export const startDirectory: Kind<string> = {
  ...text,
  metavar: "DIR",
  range: "an existing directory",
  parse(value, facts) {
    const path = resolve(facts.cwd, text.parse(value, facts));
    if (!isDirectory(path)) throw new ConfigError(`can't chdir to ${quote(value)}`);
    return path;
  },
};

export const existingDirectory: Kind<string> = {
  ...startDirectory,
  parse(value, facts) {
    const path = resolve(facts.cwd, text.parse(value, facts));
    return isDirectory(path) ? path : refuse("an existing directory", value);
  },
};

/** Paths that exist, and patterns: absolute from here on. */
export const watchedFiles: Kind<readonly string[], string | readonly string[]> = {
  ...textList,
  metavar: "FILES",
  range: "existing files or directories, or patterns",
  parse(value, facts) {
    return textList.parse(value, facts).map((item) => {
      const path = resolve(facts.cwd, item);
      if (!existsSync(path) && !/[*?[]/.test(item)) {
        throw new ConfigError(`File ${quote(item)} doesn't exist`);
      }
      return path;
    });
  },
};

/** Paths of requests, as they stand in request lines: exact ones, without query. */
export const requestPaths: Kind<readonly string[], string | readonly string[]> = {
  ...commaList,
  metavar: "PATHS",
  range: "a comma-separated list of paths",
  parse(value, facts) {
    const paths = commaList.parse(value, facts);
    // Nobody sends the others: a pattern would match nothing, without a word.
    const wrong = paths.find((path) => !/^\/[!-~]*$/.test(path) || /[?#*]/.test(path));
    if (wrong !== undefined) refuse("exact paths that begin with /, without query", wrong);
    return paths;
  },
};

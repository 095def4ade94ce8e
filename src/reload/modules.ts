/** The files of code: what is loaded, and what a module would load if it could. */
import { readFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { fileCandidates } from "../modules/find.ts";
import { packageName } from "../modules/packages.ts";
import { ownFolder } from "../own-files.ts";
import { isDirectory, isFile } from "./stamp.ts";

/** The server's own code: it doesn't change under a running app, and the master has loaded the half of it. */
const ownPrefix = `${ownFolder}/`;

/** Whether a file may be watched as code of the app: packages are installed, not edited. */
function isOfApp(path: string): boolean {
  return path.startsWith("/") && !path.includes("/node_modules/") && !path.startsWith(ownPrefix);
}

/** The modules of the app that this process has loaded, whatever they were imported by. */
export function loadedModules(): string[] {
  // Bun lists ES modules here too, once they are evaluated; the configuration file with a query.
  return Object.keys(require.cache)
    .map((key) => key.replace(/\?.*$/s, ""))
    .filter(isOfApp);
}

/**
 * The files that the module at `base` (with or without its extension) is made of, by its imports; of
 * what isn't there yet, each name that it could get.
 * @param deep follows names of packages too, which may mean the app's own files by an alias. It makes the
 * runtime remember what directories hold now, so it is for a process that won't load the app any more.
 */
export function sourcesOf(base: string, { deep = false } = {}): Set<string> {
  const found = new Set<string>();
  const open = candidates(base);
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path) || !isOfApp(path)) continue;
    found.add(path);
    for (const name of importsOf(path)) {
      if (/^\.\.?(\/|$)|^\//.test(name)) open.push(...candidates(resolve(dirname(path), name)));
      else if (deep) for (const file of packageFiles(name, dirname(path), found)) open.push(file);
    }
  }
  return found;
}

const extensions = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json"];

/** The file that `path` means, or all that it could. */
function candidates(path: string): string[] {
  const typed = /\.[cm]?jsx?$/.test(path) ? [path.replace(/js(x?)$/, "ts$1")] : [];
  const [first = path, ...rest] = fileCandidates(path, extensions);
  const all = [first, ...typed, ...rest];
  const file = all.find(isFile);
  return file === undefined ? all : [file];
}

const loaders: Readonly<Record<string, "ts" | "tsx" | "jsx">> = {
  ".ts": "ts",
  ".mts": "ts",
  ".cts": "ts",
  ".tsx": "tsx",
  ".js": "jsx",
  ".jsx": "jsx",
  ".mjs": "jsx",
  ".cjs": "jsx",
};

function importsOf(path: string): string[] {
  const loader = loaders[extname(path)];
  if (loader === undefined || !isFile(path)) return [];
  try {
    const code = readFileSync(path, "utf8");
    return new Bun.Transpiler({ loader }).scanImports(code).map((each) => each.path);
  } catch {
    // A syntax error, or a file that went or can't be read: the import will say so.
    return [];
  }
}

/** What a package's name or an alias means here. A package that is missing is added to `awaited`. */
function packageFiles(name: string, folder: string, awaited: Set<string>): string[] {
  const homes = ancestors(folder).map((each) => join(each, "node_modules"));
  // Without any node_modules Bun would fetch the package from the registry.
  if (!homes.some(isDirectory)) return [];
  try {
    return [Bun.resolveSync(name, folder)];
  } catch {
    // Not installed yet.
    for (const home of homes) awaited.add(join(home, packageName(name), "package.json"));
    return [];
  }
}

function ancestors(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...ancestors(above)];
}

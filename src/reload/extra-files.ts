import { isDirectory, isFile } from "./stamp.ts";

export function isPattern(path: string): boolean {
  return /[*?[]/.test(path);
}

/**
 * The files that an absolute path means now: itself, all below it, or what it matches as a pattern. Names with a dot in
 * front only match if they are written out.
 */
export function expand(path: string): string[] {
  // First, since brackets may stand in a plain name.
  if (isFile(path)) return [path];
  if (isDirectory(path)) return scan(path, "**/*");
  // Listed although it isn't there: it is noticed when it comes back.
  if (!isPattern(path)) return [path];
  const at = path.lastIndexOf("/", path.search(/[*?[]/));
  return scan(path.slice(0, at) || "/", path.slice(at + 1));
}

/** Where a file that `path` would match may appear. */
export function homeOf(path: string): string {
  if (isDirectory(path)) return path;
  const at = isPattern(path) ? path.search(/[*?[]/) : path.length;
  return path.slice(0, path.lastIndexOf("/", at)) || "/";
}

function scan(cwd: string, pattern: string): string[] {
  if (!isDirectory(cwd)) return [];
  try {
    const found = new Bun.Glob(pattern).scanSync({ cwd, absolute: true, onlyFiles: true });
    return [...found].filter((path) => !path.includes("/node_modules/", cwd.length));
  } catch (error) {
    // A directory below that went meanwhile, or can't be read.
    if (
      ["ENOENT", "ENOTDIR", "EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")
    )
      return [];
    throw error;
  }
}

import { statSync } from "node:fs";

/**
 * What tells one version of a file from the next. A file that isn't there has one too, so that its coming and going are
 * changes.
 */
export function stampOf(path: string): string {
  const stats = statIfAny(path);
  if (!stats?.isFile()) return "absent";
  // The inode: a save by rename may bring a file of the same size with an older time.
  return `${stats.mtimeMs} ${stats.size} ${stats.ino}`;
}

/**
 * One for several files. Another owner or mode is another version: whoever couldn't read a file may be able to now. One that can't
 * be looked at is as good as absent, and says why.
 */
export function stampOfAll(paths: readonly string[]): string {
  return paths.map(stampOrError).join("\n");
}

function stampOrError(path: string): string {
  try {
    return `${stampOf(path)} ${statIfAny(path)?.ctimeMs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

export function isFile(path: string): boolean {
  return statIfAny(path)?.isFile() ?? false;
}

export function isDirectory(path: string): boolean {
  return statIfAny(path)?.isDirectory() ?? false;
}

function statIfAny(path: string): ReturnType<typeof statSync> | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A directory on the way became a file, can't be read, or is part of a path that was never one.
    if (["ENOTDIR", "EACCES", "ELOOP", "ENAMETOOLONG"].includes(code ?? "")) return undefined;
    throw error;
  }
}

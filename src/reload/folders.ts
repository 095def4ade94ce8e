import { lstatSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";

/** Linux follows so many links at most: path_resolution(7). */
const linkLimit = 40;

/**
 * The folders whose entries decide which file an absolute path means now: its own, that of each symbolic link on the way, and
 * where something is missing, the last one that is there. None of them has a link in its path.
 */
export function foldersOf(path: string): Set<string> {
  const folders = new Set<string>();
  const left = partsOf(path);
  let here = "/";
  for (let links = 0; links <= linkLimit;) {
    const part = left.shift();
    // A folder: what is in it counts.
    if (part === undefined) return folders.add(here);
    if (part === "..") {
      here = dirname(here);
      continue;
    }
    const next = join(here, part);
    const kind = kindOf(next);
    if (kind !== "folder") folders.add(here);
    if (kind === "folder") here = next;
    else if (kind === "link") {
      links += 1;
      const target = targetOf(next);
      if (target === null) return folders;
      if (target.startsWith("/")) here = "/";
      left.unshift(...partsOf(target));
    } else return folders;
  }
  return folders;
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function kindOf(path: string): "folder" | "link" | "other" {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() === true) return "link";
    return stats?.isDirectory() === true ? "folder" : "other";
  } catch {
    // It can't be looked at: what is above it can be.
    return "other";
  }
}

/** Null: it has been replaced meanwhile, which is a change in its folder. */
function targetOf(link: string): string | null {
  try {
    return readlinkSync(link);
  } catch {
    return null;
  }
}

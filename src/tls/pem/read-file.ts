/** Files of PEM, read by whoever the master is. */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError } from "../../api/errors.ts";

/** A text, and what messages about it begin with: `certfile: /srv/a.pem`. */
export interface Part {
  readonly place: string;
  readonly text: string;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "doesn't exist",
  ENOTDIR: "doesn't exist",
  ELOOP: "is a symbolic link that leads to itself",
};

/**
 * Reads a file; each byte is a character.
 * @param name the setting
 * @param folder what a relative path starts from: the setting chdir
 * @throws ConfigError
 */
export function readPart(name: string, path: string, folder: string): Part {
  const absolute = resolve(folder, path);
  const place = `${name}: ${absolute}`;
  try {
    const stats = statSync(absolute);
    if (stats.isDirectory()) throw new ConfigError(`${place}: is a directory`);
    // A FIFO would keep the master waiting.
    if (!stats.isFile()) throw new ConfigError(`${place}: is not a file`);
    return { place, text: readFileSync(absolute, "latin1") };
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(`${place}: ${reasonOf(cause as NodeJS.ErrnoException)}`, { cause });
  }
}

function reasonOf({ code = "", message }: NodeJS.ErrnoException): string {
  if (code === "EACCES" || code === "EPERM")
    return `can't be read by uid ${process.geteuid?.()}: permission denied`;
  return reasons[code] ?? message;
}

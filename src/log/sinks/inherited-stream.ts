/**
 * Names of descriptors that the process was started with: they are written to as they are, since to open them is
 * another thing.
 */
import { readlinkSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ConfigError } from "../../api/errors.ts";
import type { Destination } from "../plan.ts";

const names: Readonly<Record<string, string>> = { stdin: "0", stdout: "1", stderr: "2" };
const descriptor =
  /^(?:\/dev\/(std(?:in|out|err))|(?:\/dev|\/proc\/(?:self|thread-self))\/fd\/(\d+))$/;
/** The kernel's own bound (path_resolution(7)). */
const mostLinks = 40;

/**
 * The standard stream that a path means, also by way of symbolic links; null for any other file. Opening the path would
 * fail where the stream is a socket, as of systemd's journal, or belongs to another user.
 * @throws ConfigError, which names the place, for other descriptors: workers don't have them, or have something else
 * there
 */
export function inheritedStream(path: string, place: string): 1 | 2 | null {
  let target = path;
  for (let links = 0; links < mostLinks; links++) {
    const found = descriptor.exec(target);
    if (found !== null) {
      const number = names[found[1] ?? ""] ?? found[2];
      if (number === "1") return 1;
      if (number === "2") return 2;
      throw new ConfigError(
        `${place}: '${path}': only standard output and error reach the workers`,
      );
    }
    const link = linkOf(target);
    if (link === null) return null;
    target = resolve(dirname(target), link);
  }
  return null;
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch (error) {
    // No link, or nothing that is there yet: whoever opens it finds out.
    if ((error as NodeJS.ErrnoException).code !== undefined) return null;
    throw error;
  }
}

/**
 * Where lines for a path go.
 * @throws ConfigError for a descriptor that workers don't have
 */
export function toFile(path: string, place: string): Destination {
  const fd = inheritedStream(path, place);
  return fd === null ? { type: "file", path } : { type: "stream", fd };
}

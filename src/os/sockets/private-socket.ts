/**
 * A unix socket that a process has for itself: other users of the machine can neither find nor reach it. An abstract one has
 * no rights, and whoever reads /proc/net/unix could take a worker's descriptors by opening connections to it.
 */
import { chmodSync, constants, existsSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { maxPathBytes } from "./socket-path.ts";

export interface PrivatePlace<T> {
  /** What `listen` has answered. */
  readonly listening: T;
  /** Where this process connects to it. */
  readonly path: string;
}

/** open(2): a descriptor that stands for the name only. node:fs doesn't know it. */
const namesOnly = 0o10000000;
const descriptors = "/proc/self/fd";

/**
 * Listens in a folder of its own that is removed at once: the socket is then reached by a descriptor. Where no folder can
 * be written, or /proc is missing, it is an abstract one, under a name that is drawn.
 * @param listen is called with a path, and again with another one if that throws
 * @throws what `listen` throws at last
 */
export function listenPrivately<T>(
  listen: (path: string) => T,
  folders: readonly string[] = usualFolders(),
): PrivatePlace<T> {
  for (const folder of existsSync(descriptors) ? folders : []) {
    const place = listenIn(folder, listen);
    if (place !== null) return place;
  }
  const path = `\0gunicorn-ts-${crypto.randomUUID()}`;
  return { listening: listen(path), path };
}

/** Few workers need one: node:os is loaded for those (bench: start). */
function usualFolders(): string[] {
  return [process.getBuiltinModule("node:os").tmpdir(), "/dev/shm"];
}

/** Null where that can't be. */
function listenIn<T>(folder: string, listen: (path: string) => T): PrivatePlace<T> | null {
  let own: string | null = null;
  try {
    own = mkdtempSync(join(folder, "gunicorn-ts-"));
    const name = join(own, "inner");
    if (Buffer.byteLength(name) > maxPathBytes) return null;
    const listening = listen(name);
    // Whatever the umask is, and for a look at /proc/PID/fd.
    chmodSync(name, 0o600);
    const fd = openSync(name, namesOnly | constants.O_NOFOLLOW);
    return { listening, path: `${descriptors}/${fd}` };
  } catch {
    return null;
  } finally {
    // The descriptor keeps the socket: no name is left behind, whatever kills the process.
    if (own !== null) rmSync(own, { recursive: true, force: true });
  }
}

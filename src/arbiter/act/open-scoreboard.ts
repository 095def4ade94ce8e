/** Where what processes share lives: memory without a file, or the first folder that takes it. */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { ConfigError } from "../../api/errors.ts";
import { Scoreboard, scoreboardBytes } from "../../ipc/scoreboard.ts";
import { createAnonymousMemory, createNamelessFile } from "../../os/shared-memory.ts";

/** Somewhere that memory of a size can be had: a descriptor, or null where there is no such thing. */
interface Place {
  readonly name: string;
  readonly create: (bytes: number) => number | null;
}

/** As openMemory(). */
export function openScoreboard(workerTmpDir: string | null): Scoreboard {
  return new Scoreboard(openMemory(workerTmpDir, scoreboardBytes, "of heartbeats"));
}

/**
 * Memory for several processes, all 0.
 * @param workerTmpDir the one folder to use; null for whatever takes it
 * @param what stands in the error behind the number of bytes
 * @returns a descriptor
 * @throws ConfigError when there is no room, or no right to write
 */
export function openMemory(workerTmpDir: string | null, bytes: number, what: string): number {
  const places = workerTmpDir === null ? defaultPlaces() : [folder(workerTmpDir)];
  const refusals: string[] = [];
  for (const { name, create } of places) {
    try {
      const fd = create(bytes);
      if (fd !== null) return fd;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      refusals.push(`${name}: ${message}`);
    }
  }
  const room = `no room for the ${bytes} bytes ${what}`;
  throw new ConfigError(`workerTmpDir: ${room}: ${refusals.join("; ")}`);
}

function defaultPlaces(): readonly Place[] {
  const anonymous: Place = { name: "memory", create: createAnonymousMemory };
  // A file system in memory, if there is one, saves writes to a disk.
  const folders = ["/dev/shm", tmpdir()].filter((path) => existsSync(path));
  return [anonymous, ...folders.map(folder)];
}

function folder(path: string): Place {
  return { name: path, create: (bytes) => createNamelessFile(path, bytes) };
}

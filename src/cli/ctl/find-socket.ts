/** Which server is meant. */
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { UsageError } from "../../api/errors.ts";
import { besidePidFile, runtimeFolders } from "../../control/place.ts";
import { inspectPath } from "../../os/sockets/listening/unix-socket.ts";
import { Unreachable } from "./client.ts";

export interface Named {
  readonly socket: string | null;
  readonly pidFile: string | null;
}

/**
 * The path of the server's socket: the one that is named, the one beside the pid file that is named, or the only one that
 * answers, of those in the current directory and in the folders of `auto`.
 * @throws UsageError when several answer, Unreachable when none does
 */
export function findSocket(
  { socket, pidFile }: Named,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): string {
  if (socket !== null) return resolve(cwd, socket);
  if (pidFile !== null) return besidePidFile(resolve(cwd, pidFile));
  const folders = [...new Set([cwd, ...runtimeFolders(env)])];
  const answering = folders.flatMap(socketsIn).filter(answers);
  const [only, ...more] = answering;
  if (only === undefined)
    throw new Unreachable(
      `No server with a control_socket found in ${folders.join(", ")}: name the socket by --socket, or the pid file by --pid; only a server that was started with --control-socket has one`,
    );
  if (more.length > 0)
    throw new UsageError(`several servers answer, name one by --socket: ${answering.join(", ")}`);
  return only;
}

function socketsIn(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith(".ctl"));
    return names.sort().map((name) => join(folder, name));
  } catch (error) {
    // A folder that isn't there, or isn't ours to read, holds nothing for us.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return [];
  }
}

function answers(path: string): boolean {
  try {
    return inspectPath(path) === "in use";
  } catch {
    // EACCES: somebody else's.
    return false;
  }
}

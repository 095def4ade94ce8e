/** Where the control socket of a configuration is, and whether a socket can be there. */
import { accessSync, constants, lstatSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { ConfigError } from "../../api/errors.ts";
import type { Config } from "../../config/types.ts";
import { socketPath } from "../../control/place.ts";
import { maxPathBytes } from "../../os/sockets/socket-path.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The suffix of a new master's socket. */
const roomForSuffix = ".2".length;

/** Null for no socket. Throws ConfigError when `auto` finds no folder. */
export function pathOf(
  config: Config,
  who: { readonly env: Environment; readonly second: boolean },
): string | null {
  const { controlSocket, controlSocketDisable } = config;
  if (controlSocket === null || controlSocketDisable) return null;
  return socketPath({ ...config, controlSocket }, { ...who, pid: process.pid });
}

/**
 * For --check-config, beside a server that may run.
 * @throws ConfigError
 */
export function checkPlace(config: Config, env: Environment): void {
  const path = pathOf(config, { env, second: false });
  if (path !== null) checkPath(path);
}

/** @throws ConfigError for a path that can't have a socket, whoever has it */
export function checkPath(path: string): void {
  const refuse = (why: string) => {
    throw new ConfigError(`controlSocket: ${path}: ${why}`);
  };
  const longest = maxPathBytes - roomForSuffix;
  const bytes = Buffer.byteLength(path);
  if (bytes > longest) refuse(`the path of a socket has at most ${longest} bytes, got ${bytes}`);
  const folder = dirname(path);
  if (!(statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false))
    refuse(`${folder} is no folder`);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch {
    refuse(`${folder} can't be written`);
  }
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false)
    refuse("is there, and no socket");
}

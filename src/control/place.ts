/** Where the control socket is. */
import { basename, dirname, join, resolve } from "node:path";
import { ConfigError } from "../api/errors.ts";

export interface PlaceSettings {
  readonly controlSocket: string | null;
  readonly pidfile: string | null;
  readonly chdir: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Where `auto` looks without a pid file, the first that is set: systemd's folder of the service, then the user's. */
const runtimeVariables = ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"] as const;

/**
 * The path of a master's socket; absolute. Beside an old master, a new one has a name of its own.
 * @throws ConfigError when `auto` finds no folder
 */
export function socketPath(
  { controlSocket, pidfile, chdir }: PlaceSettings & { readonly controlSocket: string },
  who: { readonly env: Environment; readonly pid: number; readonly second: boolean },
): string {
  const suffix = who.second ? ".2" : "";
  if (controlSocket !== "auto") return `${resolve(chdir, controlSocket)}${suffix}`;
  if (pidfile !== null) return `${besidePidFile(resolve(chdir, pidfile))}${suffix}`;
  const [folder] = runtimeFolders(who.env);
  if (folder === undefined)
    throw new ConfigError(
      `controlSocket: auto needs a pid file, or ${runtimeVariables.join(" or ")} in the environment; or name a path`,
    );
  // The pid is the master's own: neither another app nor a new master has the same.
  return join(folder, `gunicorn-ts-${who.pid}.ctl`);
}

/** `app.ctl` of `app.pid`. */
export function besidePidFile(pidfile: string): string {
  return join(dirname(pidfile), `${basename(pidfile).replace(/\.pid$/, "")}.ctl`);
}

/** Folders that `auto` may have put a socket in. systemd lists several in one variable. */
export function runtimeFolders(env: Environment): string[] {
  return runtimeVariables.flatMap((name) => {
    const [folder = ""] = (env[name] ?? "").split(":");
    return folder.startsWith("/") ? [folder] : [];
  });
}

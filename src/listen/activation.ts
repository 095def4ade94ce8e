/** Socket activation by systemd: sd_listen_fds(3). */
import { ConfigError } from "../api/errors.ts";
import type { FdAddress } from "../net/bind-address.ts";

const firstFd = 3;
const variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

export interface Activation {
  /** The sockets that take the place of all binds; null without activation. */
  readonly addresses: readonly FdAddress[] | null;
  /** For the log: why variables that are there didn't count. */
  readonly warning: string | null;
}

/**
 * Reads and removes systemd's variables, so that neither apps nor workers see them.
 * @param pid of this process
 * @param oldMaster the pid of the master that has started this one on its own sockets by USR2
 */
export function takeActivation(
  env: Record<string, string | undefined>,
  pid: number,
  oldMaster: number | null = null,
): Activation {
  const { LISTEN_PID: meantFor, LISTEN_FDS: text } = env;
  for (const name of variables) delete env[name];
  if (meantFor === undefined || text === undefined) return { addresses: null, warning: null };
  // A master can't know the pid of its successor, so it names its own.
  if (Number(meantFor) !== pid && Number(meantFor) !== oldMaster) {
    const warning = `Sockets of systemd ignored: LISTEN_PID is ${meantFor}, and this process is ${pid}. Start it directly, not by a shell, npx or bunx`;
    return { addresses: null, warning };
  }
  if (!/^\d{1,5}$/.test(text)) throw new ConfigError(`LISTEN_FDS: must be a number, got '${text}'`);
  const count = Number(text);
  if (count === 0) return { addresses: null, warning: null };
  const addresses = Array.from({ length: count }, (_, index): FdAddress => {
    return { type: "fd", fd: firstFd + index, secure: false };
  });
  return { addresses, warning: null };
}

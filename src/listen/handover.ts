/** What a new master needs to adopt the listening sockets of this one (USR2). */
import type { Group } from "./group.ts";

export interface Handover {
  /** What becomes fd 3, 4 and so on: it stands behind standard error in the stdio of Bun.spawn. */
  readonly stdio: readonly (number | "ignore")[];
  /**
   * GUNICORN_FD lists the new process's descriptors, in the order in which Listeners.adopt() wants them; GUNICORN_TLS_FD
   * those of them that are served with TLS, and isn't there without any.
   */
  readonly env: Readonly<Record<string, string>>;
}

const firstFd = 3;

/**
 * A socket that came with the start (`fd://N`, systemd) keeps its number, which the new master's configuration
 * names too; the others get the numbers that are left.
 * @param activated how many sockets systemd has passed
 * @param pid of this process
 */
export function planHandover(groups: readonly Group[], activated: number, pid: number): Handover {
  const places = new Map<number, number>();
  for (const { address } of groups) if (address.type === "fd") places.set(address.fd, address.fd);
  const taken = new Set(places.values());
  let free = firstFd;
  const fds = groups.flatMap((group) => group.fds);
  for (const fd of fds) {
    if (places.has(fd)) continue;
    while (taken.has(free)) free += 1;
    places.set(fd, free++);
  }
  const end = Math.max(firstFd - 1, ...places.values());
  const stdio: (number | "ignore")[] = Array.from({ length: end + 1 - firstFd }, () => "ignore");
  for (const [fd, place] of places) stdio[place - firstFd] = fd;
  const env: Record<string, string> = {
    GUNICORN_FD: fds.map((fd) => String(places.get(fd))).join(","),
  };
  const secure = groups.filter(({ address }) => address.secure).flatMap((group) => group.fds);
  if (secure.length > 0)
    env["GUNICORN_TLS_FD"] = secure.map((fd) => String(places.get(fd))).join(",");
  if (activated > 0) {
    // The successor's pid isn't known before it runs: it knows ours by GUNICORN_PID.
    env["LISTEN_PID"] = String(pid);
    env["LISTEN_FDS"] = String(activated);
  }
  return { stdio, env };
}

/** Changes the number of workers of a gunicorn-ts while it runs, by TTIN and TTOU. */
import { readlinkSync } from "node:fs";
import { BenchError } from "../errors.ts";
import { childrenOf, namesIn, readIfThere } from "../process-tree.ts";
import type { BenchServer } from "../servers/server.ts";

const patienceMs = 60_000;
const pollMs = 5;

/** Resolves when exactly so many workers serve; throws BenchError when that never comes. */
export async function setWorkers(server: BenchServer, count: number): Promise<void> {
  for (;;) {
    const now = workersOf(server);
    if (now === count) break;
    // Equal signals that wait together are one: the next goes out when the last has shown its effect.
    server.signal(now < count ? "SIGTTIN" : "SIGTTOU");
    const next = now < count ? now + 1 : now - 1;
    await until(server, `${next} workers`, () => workersOf(server) === next);
  }
  await until(server, `${count} workers to serve`, () => countServing(server) === count);
}

/** How many of the workers wait for connections on its port. */
function countServing({ pid, port }: BenchServer): number {
  const inodes = listeningInodes(port);
  return childrenOf(pid).filter((each) => polls(each, inodes)).length;
}

function workersOf({ pid }: BenchServer): number {
  return childrenOf(pid).length;
}

async function until(server: BenchServer, what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!holds()) {
    if (server.ended) throw new BenchError(`the server ended while the bench waited for ${what}`);
    if (performance.now() > end) {
      throw new BenchError(`waited ${patienceMs / 1000} s in vain for ${what}`);
    }
    await Bun.sleep(pollMs);
  }
}

/** Of the sockets that listen on a TCP port. */
function listeningInodes(port: number): ReadonlySet<string> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  // proc(5), /proc/net/tcp: sl local_address rem_address st ...; the tenth field is the inode, state 0A is LISTEN.
  const lines = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) =>
    (readIfThere(path) ?? "").split("\n").slice(1),
  );
  const rows = lines.map((line) => line.trim().split(/\s+/));
  const listening = rows.filter(
    ([, local = "", , state]) => local.endsWith(wanted) && state === "0A",
  );
  return new Set(listening.map((row) => row[9] ?? ""));
}

/** Whether a process has one of the sockets in an epoll set: a worker that still boots holds its socket, but doesn't poll it. */
function polls(pid: number, inodes: ReadonlySet<string>): boolean {
  const sockets = new Set<string>();
  const polled: string[] = [];
  for (const fd of namesIn(`/proc/${pid}/fd`)) {
    const target = readLinkIfThere(`/proc/${pid}/fd/${fd}`);
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) sockets.add(fd);
    if (target === "anon_inode:[eventpoll]") {
      const info = readIfThere(`/proc/${pid}/fdinfo/${fd}`) ?? "";
      polled.push(...[...info.matchAll(/^tfd:\s+(\d+)/gm)].map((found) => found[1] as string));
    }
  }
  return polled.some((fd) => sockets.has(fd));
}

function readLinkIfThere(path: string): string {
  try {
    return readlinkSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The file, or the whole process, has gone meanwhile.
    if (code === "ENOENT" || code === "ESRCH") return "";
    throw error;
  }
}

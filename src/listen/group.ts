/** The sockets of one address. */
import type { BoundTo } from "../api/serving.ts";
import { type Address, formatTuple, sameAddress } from "../net/bind-address.ts";
import { joinHostPort } from "../net/ip-address.ts";
import { acceptQueueLength } from "../os/sockets/listening/accept-queue.ts";
import { deferAccept } from "../os/sockets/listening/defer-accept.ts";
import { steerReuseport } from "../os/sockets/listening/bpf.ts";
import { refuseNewConnections } from "../os/sockets/listening/hop-limit.ts";
import { SystemError } from "../os/libc.ts";
import { createListeningSocket } from "../os/sockets/listening/socket.ts";
import { closeFd } from "../os/sockets/socket-options.ts";
import { type FileIdentity, unlinkIfSame } from "../os/sockets/listening/unix-socket.ts";

/**
 * `slots`: one SO_REUSEPORT socket per slot. `shared`: one socket for all. `reserved`: one that is bound
 * and doesn't listen, which keeps the port for workers that open their own sockets by SO_REUSEPORT.
 */
export type SocketKind = "slots" | "shared" | "reserved";

/** No socket could be opened for an address, after all attempts. Exit code 1. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

export interface Group {
  readonly address: Address;
  readonly bound: Bound;
  readonly kind: SocketKind;
  /** The sockets by slot with kind `slots`, else a single one. */
  readonly fds: number[];
  /** Someone outside holds the socket too, and goes on with it when this server has ended: systemd, for one. */
  readonly foreign: boolean;
}

/** What a socket is bound to. */
export type Bound = TcpBound | UnixBound;

export interface TcpBound {
  readonly type: "tcp";
  readonly family: 4 | 6;
  /** A numeric address. */
  readonly hostname: string;
  /** The kernel's choice where the address says 0. */
  readonly port: number;
  readonly v6only: boolean;
}

export interface UnixBound {
  readonly type: "unix";
  readonly path: string;
  /** The socket's file, if it is this server's to remove. */
  readonly file: FileIdentity | null;
}

/**
 * The address of a group as it stands in the log: `http://127.0.0.1:8000`, `https://127.0.0.1:8443`, `unix:/run/app.sock`.
 * @param address the one that a configuration names it by
 */
export function urlOf(address: Address, bound: Bound): string {
  if (address.type === "unix") return `unix:${address.text}`;
  // An abstract name begins with NUL, which `ss` and systemd write as @.
  if (bound.type === "unix") return `unix:${bound.path.replace(/^\0/, "@")}`;
  return `${address.secure ? "https" : "http"}://${joinHostPort(bound.hostname, bound.port)}`;
}

function openSlots({ kind, bound, fds }: Group, slots: number, backlog: number): void {
  if (kind !== "slots" || bound.type !== "tcp") return;
  while (fds.length < slots) {
    fds.push(createListeningSocket({ ...bound, backlog, reusePort: true }).fd);
  }
}

/**
 * Opens what the groups lack for so many slots, or nothing.
 * @param steered the shares that new sockets must not change; null as long as the kernel spreads connections over all
 */
export function fillSlots(
  groups: readonly Group[],
  slots: number,
  backlog: number,
  steered: readonly number[] | null,
): void {
  const before = groups.map((group) => group.fds.length);
  try {
    for (const group of groups) {
      if (steered !== null) steerGroup(group, steered);
      openSlots(group, slots, backlog);
    }
  } catch (error) {
    for (const [index, group] of groups.entries()) closeSlots(group, before[index] ?? 0);
    throw error;
  }
}

/**
 * Closes from the top down; a single socket serves any number of slots but 0. Answers what of it the system refuses.
 */
export function closeSlots({ kind, fds }: Group, slots: number): Error | null {
  const stays = kind === "slots" ? slots : Math.min(slots, 1);
  return firstError(fds.splice(stays).toReversed().map(tryToClose));
}

/** For steerGroup(): each of the first slots gets as much as any other. */
export function equalShares(count: number): readonly number[] {
  return Array.from({ length: count }, () => 1);
}

/** Answers why the system refuses; null when it is done, or when all slots share one socket. */
export function steerGroup(group: Group, shares: readonly number[]): SystemError | null {
  const { kind, fds, address } = group;
  if (kind !== "slots") return null;
  const [fd] = fds;
  if (fd === undefined) throw new RangeError(`no socket open for ${formatTuple(address)}`);
  return steerReuseport(fd, shares);
}

/** @param deferred as in OpenOptions. What somebody else goes on with stays as it is */
export function deferAt(group: Group, deferred: boolean): void {
  if (group.foreign || group.bound.type === "unix") return;
  for (const fd of listeningFds(group)) deferAccept(fd, deferred);
}

/** The group's sockets that connections can arrive at. */
export function listeningFds({ kind, fds }: Group): readonly number[] {
  return kind === "reserved" ? [] : fds;
}

/** How many connections wait to be accepted at these of its sockets. */
export function waitingAt({ bound }: Group, fds: readonly (number | undefined)[]): number {
  if (bound.type !== "tcp") return 0;
  return fds.reduce<number>((sum, fd = -1) => sum + (acceptQueueLength(fd) ?? 0), 0);
}

/**
 * Lets no new connection in, so that the queues run dry. Answers why the system refuses; null when it is done, or when
 * somebody else goes on with the socket.
 */
export function stopArrivals(group: Group): Error | null {
  const { bound, foreign } = group;
  if (foreign) return null;
  if (bound.type === "unix") return unlinkFile(group);
  return firstError(listeningFds(group).map((fd) => refuseNewConnections(fd, bound.family)));
}

export function firstError<E extends Error>(results: readonly (E | null)[]): E | null {
  return results.find((result) => result !== null) ?? null;
}

/**
 * Removes a unix socket's file, unless another one stands there by now. To be called before the socket closes, which
 * keeps the inode's number taken. Answers why the system refuses: the folder may be read-only, or another user's.
 */
export function unlinkFile({ bound, fds }: Group): Error | null {
  if (bound.type !== "unix" || bound.file === null || fds.length === 0) return null;
  try {
    unlinkIfSame(bound.path, bound.file);
    return null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return error as Error;
  }
}

function tryToClose(fd: number): SystemError | null {
  try {
    closeFd(fd);
    return null;
  } catch (error) {
    if (error instanceof SystemError) return error;
    throw error;
  }
}

/** Takes the group of an address out of the list; null if there is none. */
function takeGroup(groups: Group[], address: Address): Group | null {
  const index = groups.findIndex((group) => sameAddress(group.address, address));
  return index < 0 ? null : (groups.splice(index, 1)[0] ?? null);
}

/** The group of each address, where there is one; none twice. */
export function groupsOf(
  addresses: readonly Address[],
  groups: readonly Group[],
): (Group | null)[] {
  const spare = [...groups];
  return addresses.map((address) => takeGroup(spare, address));
}

/** @param shared another master goes on with the sockets, and with the file of a unix socket */
export function closeGroup(group: Group, shared: boolean): Error | null {
  const unlinked = shared ? null : unlinkFile(group);
  return closeSlots(group, 0) ?? unlinked;
}

/** As an app and its worker know it. */
export function placeOf({ bound }: Group): BoundTo {
  if (bound.type === "unix") return { type: "unix", path: bound.path };
  return { type: "tcp", hostname: bound.hostname, port: bound.port };
}

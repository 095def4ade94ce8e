/** Sockets that an old master left to this one: they become groups again, and addresses find theirs. */
import type { Address } from "../net/bind-address.ts";
import {
  type InheritedSocket,
  inspectSocket,
  prepareInherited,
} from "../os/sockets/listening/inherited-socket.ts";
import { canonicalHostname } from "../os/sockets/socket-address.ts";
import { type Bound, type Group, ListenError, type SocketKind } from "./group.ts";
import { boundOf, inheritedGroup } from "./open-group.ts";
import { resolveHostname } from "./resolve.ts";

/** Sockets of one address that no address of the configuration has claimed. */
export interface Orphan {
  readonly bound: Bound;
  readonly kind: SocketKind;
  readonly fds: number[];
}

export interface Adoption {
  /** Groups by address; null where none of the sockets is bound to it. */
  readonly groups: readonly (Group | null)[];
  /** The sockets that nobody wants. */
  readonly unclaimed: readonly Orphan[];
}

/**
 * @param fds the sockets of one address stand in the order of their slots
 * @param kind how TCP sockets are to be opened
 * @throws ListenError for an fd that isn't a server's socket
 */
export async function adoptSockets(
  addresses: readonly Address[],
  fds: readonly number[],
  kind: SocketKind,
): Promise<Adoption> {
  const sockets = new Map(fds.map((fd) => [fd, takeSocket(fd)]));
  const groups = addresses.map((address): Group | null => {
    const socket = address.type === "fd" ? sockets.get(address.fd) : undefined;
    if (address.type !== "fd" || socket === undefined) return null;
    sockets.delete(address.fd);
    return inheritedGroup(address, socket);
  });
  const orphans = groupSockets(sockets);
  const names = await Promise.all(addresses.map(numericName));
  // A port of 0 gets what no other address has claimed.
  for (const anyPort of [false, true]) {
    for (const [index, address] of addresses.entries()) {
      const found =
        groups[index] === null
          ? orphans.findIndex((each) => claims(address, names[index], each, kind, anyPort))
          : -1;
      const [orphan] = found === -1 ? [] : orphans.splice(found, 1);
      if (orphan === undefined) continue;
      groups[index] = { ...orphan, address, foreign: false };
    }
  }
  return { groups, unclaimed: orphans };
}

function takeSocket(fd: number): InheritedSocket {
  const socket = inspectSocket(fd);
  if (socket === null || (!socket.listening && !socket.reusePort))
    throw new ListenError(`GUNICORN_FD: ${fd} is not a listening socket`);
  prepareInherited(fd, socket);
  return socket;
}

function groupSockets(sockets: ReadonlyMap<number, InheritedSocket>): Orphan[] {
  const orphans: Orphan[] = [];
  for (const [fd, socket] of sockets) {
    const kind = socket.listening ? (socket.reusePort ? "slots" : "shared") : "reserved";
    const bound = boundOf(socket, true);
    const slots = orphans.find(
      (each) => kind === "slots" && each.kind === kind && sameBound(each.bound, bound),
    );
    if (slots === undefined) orphans.push({ bound, kind, fds: [fd] });
    else slots.fds.push(fd);
  }
  return orphans;
}

function sameBound(one: Bound, other: Bound): boolean {
  if (one.type === "unix") return other.type === "unix" && one.path === other.path;
  return other.type === "tcp" && one.hostname === other.hostname && one.port === other.port;
}

interface NumericName {
  readonly family: 4 | 6;
  readonly hostname: string;
}

async function numericName(address: Address): Promise<NumericName | null> {
  if (address.type !== "tcp") return null;
  // A name that can't be looked up claims nothing; why not is told when its socket is opened.
  const found = await resolveHostname(address).catch(() => null);
  return found && { ...found, hostname: canonicalHostname(found.family, found.hostname) };
}

function claims(
  address: Address,
  name: NumericName | null | undefined,
  { bound, kind }: Orphan,
  wanted: SocketKind,
  anyPort: boolean,
): boolean {
  if (address.type === "unix") return bound.type === "unix" && bound.path === address.path;
  if (address.type === "fd" || bound.type === "unix") return false;
  // Workers of class serve open sockets of their own: they can't serve what waits in these, nor others in theirs.
  if ((kind === "reserved") !== (wanted === "reserved")) return false;
  if (name?.family !== bound.family || name.hostname !== bound.hostname) return false;
  return anyPort ? address.port === 0 : address.port === bound.port;
}

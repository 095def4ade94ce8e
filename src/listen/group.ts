/** The sockets of one address, and Gunicorn's attempts to open the first of them. */
import type { Address } from "./address.ts";
import { formatAddress, formatTuple } from "./address.ts";
import { resolveHostname } from "./resolve.ts";
import { SystemError } from "../os/libc.ts";
import {
  closeFd,
  createListeningSocket,
  createReservedSocket,
  probeAddress,
  steerReuseport,
} from "../os/socket.ts";

/**
 * `slots`: one SO_REUSEPORT socket per slot. `shared`: one socket for all. `reserved`: one that is bound
 * and doesn't listen, which keeps the port for workers that open their own sockets by SO_REUSEPORT.
 */
export type SocketKind = "slots" | "shared" | "reserved";

export interface OpenOptions {
  readonly backlog: number;
  /** Addresses that stay open keep the way they were opened. */
  readonly kind: SocketKind;
  /** Gunicorn's lines about attempts that failed, for the error log. */
  readonly onRetry?: (level: "error" | "debug", message: string) => void;
  readonly retryDelayMs?: number;
  /** Ends the attempts: the server stops before it has a socket. */
  readonly signal?: AbortSignal;
}

/** No socket could be opened for an address, after all attempts. Exit code 1. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/** The sockets of one address. */
export interface Group {
  readonly address: Address;
  /** What was bound: the numeric hostname, and the port even where the address says 0. */
  readonly bound: Bound;
  readonly url: string;
  readonly kind: SocketKind;
  /** By slot with kind `slots`, else a single one. */
  readonly fds: number[];
}

interface Bound {
  readonly family: 4 | 6;
  readonly hostname: string;
  readonly port: number;
  readonly v6only: boolean;
}

const attempts = 5;

export async function openFirstSocket(
  address: Address,
  v6only: boolean,
  ours: readonly Group[],
  options: OpenOptions,
): Promise<Group> {
  const report = options.onRetry ?? (() => {});
  const tuple = formatTuple(address);
  let cause: unknown;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      const { hostname, family } = await resolveHostname(address);
      return openGroup(address, { family, hostname, port: address.port, v6only }, ours, options);
    } catch (error) {
      cause = error;
      const code = error instanceof SystemError ? error.code : "";
      if (code === "EADDRINUSE") report("error", `Connection in use: ${tuple}`);
      if (code === "EADDRNOTAVAIL") report("error", `Invalid address: ${tuple}`);
      report("error", `connection to ${tuple} failed: ${describeFailure(error, address)}`);
      // Time doesn't change who may open a port.
      if (code === "EACCES" || attempt === attempts) break;
    }
    report("debug", "Retrying in 1 second.");
    await Bun.sleep(options.retryDelayMs ?? 1000);
    options.signal?.throwIfAborted();
  }
  throw new ListenError(`Can't connect to ${tuple}`, { cause });
}

function openGroup(
  address: Address,
  wanted: Bound,
  ours: readonly Group[],
  { backlog, kind }: OpenOptions,
): Group {
  // An address that overlaps one of our own (127.0.0.1:80 becoming 0.0.0.0:80) is not somebody else's.
  const overlapsOurs = ours.some(({ bound }) => bound.port === wanted.port);
  const reusePort = kind !== "shared";
  if (reusePort && wanted.port !== 0 && !overlapsOurs) probeAddress(wanted);
  const create = kind === "reserved" ? createReservedSocket : createListeningSocket;
  const { fd, port } = create({ ...wanted, backlog, reusePort });
  const bound = { ...wanted, port };
  return { address, bound, url: formatAddress(bound), kind, fds: [fd] };
}

export function openSlots(group: Group, slots: number, backlog: number): void {
  if (group.kind !== "slots") return;
  while (group.fds.length < slots) {
    const { fd } = createListeningSocket({ ...group.bound, backlog, reusePort: true });
    group.fds.push(fd);
  }
}

/** Closes from the top down; a single socket serves any number of slots but 0. */
export function closeSlots(group: Group, slots: number): void {
  while (group.fds.length > (group.kind === "slots" ? slots : Math.min(slots, 1))) {
    const fd = group.fds.pop();
    if (fd !== undefined) closeFd(fd);
  }
}

export function steerGroup(group: Group, count: number): boolean {
  return group.kind === "slots" ? steerReuseport(firstFd(group), count) : true;
}

/** The group's sockets that connections can arrive at. */
export function listeningFds(group: Group): readonly number[] {
  return group.kind === "reserved" ? [] : group.fds;
}

export function sameAddress(one: Address, other: Address): boolean {
  return one.hostname === other.hostname && one.port === other.port && one.family === other.family;
}

/** `[::]` takes v4 clients too, which is in the way of a v4 socket for all addresses on the same port. */
export function needsV6only(address: Address, all: readonly Address[]): boolean {
  return (
    address.family === 6 &&
    /^[0:]+$/.test(address.hostname) &&
    all.some((other) => other.hostname === "0.0.0.0" && other.port === address.port)
  );
}

function firstFd(group: Group): number {
  const [fd] = group.fds;
  if (fd === undefined) throw new RangeError(`no socket open for ${group.url}`);
  return fd;
}

function describeFailure(error: unknown, { port }: Address): string {
  if (!(error instanceof Error)) return String(error);
  const denied = error instanceof SystemError && error.code === "EACCES" && port < 1024;
  return denied
    ? `${error.message} (ports below 1024 need root or the capability CAP_NET_BIND_SERVICE)`
    : error.message;
}

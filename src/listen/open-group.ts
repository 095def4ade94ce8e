/** Gunicorn's attempts to open the first socket of an address. */
import { constants } from "node:os";
import { ConfigError } from "../api/errors.ts";
import type { Address, FdAddress, TcpAddress, UnixAddress } from "../net/bind-address.ts";
import { formatTuple } from "../net/bind-address.ts";
import {
  type InheritedSocket,
  inspectSocket,
  prepareInherited,
} from "../os/sockets/listening/inherited-socket.ts";
import { SystemError } from "../os/libc.ts";
import type { WantedAddress } from "../os/sockets/listening/port-holder.ts";
import {
  claimAddress,
  createListeningSocket,
  createReservedSocket,
  listen,
} from "../os/sockets/listening/socket.ts";
import {
  createAbstractSocket,
  createUnixSocket,
  fileAt,
  inspectPath,
  unlinkIfSame,
} from "../os/sockets/listening/unix-socket.ts";
import { describeFailure } from "./describe-failure.ts";
import { type Bound, type Group, ListenError, type SocketKind, type TcpBound } from "./group.ts";
import { resolveHostname } from "./resolve.ts";
import { unlessAborted } from "./unless-aborted.ts";

export interface OpenOptions {
  readonly backlog: number;
  /** The kind of TCP sockets; others are shared. Addresses that stay open keep the way they were opened. */
  readonly kind: SocketKind;
  /** Clients speak first, and are accepted when they have; no without it. */
  readonly deferred?: boolean;
  /** The mode bits that the file of a unix socket doesn't get. 0 if it isn't given, as in Gunicorn. */
  readonly umask?: number;
  /** The owner that the file of a unix socket gets. */
  readonly owner?: { readonly uid: number; readonly gid: number } | null;
  /** One line about each attempt that failed, for the error log. It begins as Gunicorn's does. */
  readonly onRetry?: (message: string) => void;
  readonly retryDelayMs?: number;
  /** Ends the attempts: the server stops before it has a socket. */
  readonly signal?: AbortSignal;
}

/** Sockets that this server has already: nobody else is in the way of an address there. */
type OwnSockets = Pick<Group, "bound" | "fds">;

const attempts = 5;

/**
 * @param ours the sockets that this server has open already
 * @throws ListenError, or ConfigError for what no attempt can change
 */
export async function openFirstSocket(
  address: Address,
  v6only: boolean,
  ours: readonly OwnSockets[],
  options: OpenOptions,
): Promise<Group> {
  if (address.type !== "tcp" && options.kind === "reserved")
    throw new ConfigError(
      `${formatTuple(address)}: worker class serve can't take over sockets, use --worker-class async`,
    );
  if (address.type === "fd") {
    if (ours.some((group) => group.fds.includes(address.fd)))
      throw new ConfigError(`bind: fd://${address.fd} is named twice, or a socket of this server`);
    return openInherited(address, options);
  }
  if (address.type === "unix")
    return attempt(address, options, () => ({
      wanted: { type: "unix", path: address.path },
      open: () => openUnix(address, options),
    }));
  return attempt(address, options, async () => {
    const { hostname, family } = await unlessAborted(resolveHostname(address), options.signal);
    const parts = { family, hostname, v6only };
    return {
      wanted: { type: "tcp", ...parts, port: address.port },
      open: () => openTcp(address, parts, ours, options),
    };
  });
}

/** What is to be bound, when its name is looked up, and how. */
interface Plan {
  readonly wanted: WantedAddress;
  readonly open: () => Group;
}

async function attempt(
  address: TcpAddress | UnixAddress,
  options: OpenOptions,
  find: () => Plan | Promise<Plan>,
): Promise<Group> {
  for (let count = 1; ; count++) {
    let wanted: WantedAddress | null = null;
    try {
      const plan = await find();
      wanted = plan.wanted;
      return plan.open();
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      options.signal?.throwIfAborted();
      const { line, why, passes } = await describeFailure(error, address, wanted);
      const isLast = !passes || count === attempts;
      options.onRetry?.(isLast ? line : `${line}; retrying in 1 second`);
      if (isLast)
        throw new ListenError(`Can't connect to ${formatTuple(address)}: ${why}`, { cause: error });
    }
    await unlessAborted(Bun.sleep(options.retryDelayMs ?? 1000), options.signal);
  }
}

function openTcp(
  address: TcpAddress,
  wanted: Omit<TcpBound, "type" | "port">,
  ours: readonly OwnSockets[],
  { backlog, kind, owner }: OpenOptions,
): Group {
  const { port: wantedPort } = address;
  // An address that overlaps one of our own (127.0.0.1:80 becoming 0.0.0.0:80) is not somebody else's.
  const overlapsOurs = ours.some(({ bound }) => bound.type === "tcp" && bound.port === wantedPort);
  const reusePort = kind !== "shared";
  const parts = { ...wanted, port: wantedPort };
  using held = new DisposableStack();
  if (reusePort && wantedPort !== 0 && !overlapsOurs) held.use(claimAddress(parts));
  // Workers of another user couldn't open theirs.
  const strict = (owner?.uid ?? process.geteuid?.()) === process.geteuid?.();
  const { fd, port } =
    kind === "reserved"
      ? createReservedSocket({ ...parts, reusePort, strict })
      : createListeningSocket({ ...parts, backlog, reusePort });
  const bound: Bound = { type: "tcp", ...wanted, port };
  return { address, bound, kind, fds: [fd], foreign: false };
}

function openUnix(address: UnixAddress, options: OpenOptions): Group {
  const { path, text } = address;
  const { backlog, umask = 0, owner = null } = options;
  if (path.startsWith("\0")) {
    const fds = [createAbstractSocket(path, backlog)];
    return {
      address,
      bound: { type: "unix", path, file: null },
      kind: "shared",
      fds,
      foreign: false,
    };
  }
  const found = fileAt(path);
  const state = inspectPath(path);
  if (state === "not a socket")
    throw new ConfigError(`bind: '${text}' is not a socket, and won't be replaced by one`);
  if (state === "in use") throw new SystemError(constants.errno.EADDRINUSE, "bind");
  if (state === "stale" && found !== null) unlinkIfSame(path, found);
  const { fd, file } = createUnixSocket({ path, backlog, umask, owner });
  const bound: Bound = { type: "unix", path, file };
  return { address, bound, kind: "shared", fds: [fd], foreign: false };
}

function openInherited(address: FdAddress, { backlog }: OpenOptions): Group {
  const { fd } = address;
  const socket = inspectSocket(fd);
  if (socket === null || !socket.listening)
    throw new ConfigError(`bind: fd://${fd} is not a listening socket that this process inherited`);
  prepareInherited(fd, socket);
  listen(fd, backlog);
  return inheritedGroup(address, socket);
}

/** The group of a socket that stays somebody else's. */
export function inheritedGroup(address: FdAddress, socket: InheritedSocket): Group {
  const bound = boundOf(socket, false);
  return { address, bound, kind: "shared", fds: [address.fd], foreign: true };
}

/** @param owned whether the file of a unix socket is this server's to remove */
export function boundOf({ name, v6only }: InheritedSocket, owned: boolean): Bound {
  if (name.type === "tcp") return { ...name, v6only };
  return { ...name, file: owned ? fileAt(name.path) : null };
}

/** `[::]` takes v4 clients too, which is in the way of a v4 socket for all addresses on the same port. */
export function needsV6only(address: Address, all: readonly Address[]): boolean {
  return (
    address.type === "tcp" &&
    address.family === 6 &&
    /^[0:]+$/.test(address.hostname) &&
    all.some(
      (other) =>
        other.type === "tcp" && other.hostname === "0.0.0.0" && other.port === address.port,
    )
  );
}

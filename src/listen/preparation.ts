/** Sockets that a configuration is to have and that aren't in use yet: those of an old master, and those that are opened for it. */
import type { Address } from "../net/bind-address.ts";
import { closeFd } from "../os/sockets/socket-options.ts";
import { type Adoption, adoptSockets, type Orphan } from "./adopt.ts";
import { closeGroup, type Group, groupsOf, type SocketKind } from "./group.ts";
import { needsV6only, openFirstSocket, type OpenOptions } from "./open-group.ts";

/** The sockets of the master, which may change while an attempt to open another one waits. */
export interface OpenSockets {
  /** In use, or open still for workers that serve on them. */
  groups(): readonly Group[];
  /** They refuse new connections by now, and will be closed. */
  leaving(): readonly Group[];
}

export class Preparation {
  /** What an old master has left; adopt() learns what they are. */
  #inherited: readonly number[] = [];
  /** Those of them that the old master serves TLS on. */
  #inheritedSecure: readonly number[] = [];
  /** Sockets of the old master, by address. */
  #adopted: readonly Group[] = [];
  #opened: readonly Group[] = [];
  /** Sockets of the old master that no address wants. */
  #unclaimed: readonly Orphan[] = [];

  /** @param secure those of them that the old master serves TLS on */
  inherit(fds: readonly number[], secure: readonly number[]): void {
    this.#inherited = fds;
    this.#inheritedSecure = secure;
  }

  get groups(): readonly Group[] {
    return [...this.#adopted, ...this.#opened];
  }

  /** How many slots the old master had; 0 for none, or without an old master. */
  get slots(): number {
    return Math.max(
      0,
      ...this.#adopted.map(({ kind, fds }) => (kind === "slots" ? fds.length : 0)),
    );
  }

  /**
   * Finds what the old master has left for the addresses.
   * @throws ListenError for what isn't a server's socket
   */
  async adopt(addresses: readonly Address[], kind: SocketKind): Promise<void> {
    const none: Adoption = { groups: [], unclaimed: [] };
    const { groups, unclaimed } =
      this.#inherited.length === 0 ? none : await adoptSockets(addresses, this.#inherited, kind);
    this.#adopted = groups.filter((group) => group !== null);
    this.#opened = [];
    this.#unclaimed = unclaimed;
  }

  /**
   * Opens a first socket for each of the addresses that has none, and answers with the groups of all.
   * @throws ListenError, ConfigError, or SystemError; what has been opened stays until discard()
   */
  async open(
    addresses: readonly Address[],
    options: OpenOptions,
    sockets: OpenSockets,
  ): Promise<readonly (Group | null)[]> {
    const find = () => groupsOf(addresses, [...sockets.groups(), ...this.groups]);
    let wanted = find();
    // While an attempt waits, an address that was open may be dropped: all are looked up again after it.
    for (let at = wanted.indexOf(null); at >= 0; at = wanted.indexOf(null)) {
      const address = addresses[at]!;
      const inherited = [...this.#adopted, ...this.#unclaimed];
      const ours = [...sockets.groups(), ...inherited, ...sockets.leaving()];
      const group = await openFirstSocket(
        address,
        needsV6only(address, addresses),
        address.type === "fd" ? [...ours, ...this.#opened] : ours,
        options,
      );
      this.#opened = [...this.#opened, group];
      wanted = find();
    }
    return wanted;
  }

  /** How those serve on it who have it already; nobody has what is opened for a configuration. */
  isSecure(group: Group): boolean {
    const [fd = -1] = group.fds;
    return this.#inherited.includes(fd) ? this.#inheritedSecure.includes(fd) : group.address.secure;
  }

  /** These are in use from now on; what no address wanted of an old master is closed. */
  taken(groups: readonly Group[]): void {
    // Where an earlier configuration is taken back, an open() may be under way: what that has opened stays.
    this.#opened = this.#opened.filter((group) => !groups.includes(group));
    this.#adopted = [];
    this.#inherited = [];
    for (const fd of this.#unclaimed.flatMap(({ fds }) => fds)) closeFd(fd);
    this.#unclaimed = [];
  }

  /** Closes what was opened, and won't be used. */
  discard(): void {
    // Nobody else has these.
    for (const group of this.#opened) closeGroup(group, false);
    this.#opened = [];
    this.#adopted = [];
    this.#unclaimed = [];
  }
}

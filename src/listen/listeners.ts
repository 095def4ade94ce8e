/**
 * The listening sockets, owned by the master, which never accepts. With kind `slots` each address has one
 * SO_REUSEPORT socket per slot, which outlives the slot's workers: what waits in its queue is served by the
 * successor. Otherwise one socket is for all slots.
 *
 * Sockets of an address are opened and closed at the top only: the kernel numbers them by the order in
 * which they began to listen, and steer() counts on that.
 */
import type { Address } from "./address.ts";
import { formatTuple } from "./address.ts";
import type { Group, OpenOptions } from "./group.ts";
import {
  closeSlots,
  listeningFds,
  needsV6only,
  openFirstSocket,
  openSlots,
  sameAddress,
  steerGroup,
} from "./group.ts";
import { listen, refuseNewConnections } from "../os/socket.ts";

export type { OpenOptions } from "./group.ts";

/** A listening socket as a worker gets it: the master's fd, and how to name it. */
export interface SlotListener {
  readonly fd: number;
  /** As it stands in the log: `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Numeric. */
  readonly hostname: string;
  readonly port: number;
}

export class Listeners {
  #groups: readonly Group[] = [];
  /** No longer wanted, and still open for the workers that serve them. */
  #unused: readonly Group[] = [];
  #slots = 0;
  #backlog = 0;
  /** How many slots get new connections; null as long as all do. */
  #steered: number | null = null;

  /** The number of slots that have sockets. */
  get slots(): number {
    return this.#slots;
  }

  /** For the line `Listening at: `. */
  get urls(): readonly string[] {
    return this.#groups.map((group) => group.url);
  }

  /**
   * Opens the addresses, with at least `slots` slots each. Called again (a reload), it keeps the sockets of
   * addresses that are open already, and those that are no longer wanted stay open until closeUnused().
   * Throws ListenError, or SystemError for a lack of fds, and then everything is as it was. One call at a
   * time, and no closeUnused() before it settles.
   */
  async open(addresses: readonly Address[], slots: number, options: OpenOptions): Promise<void> {
    const spare = this.#allGroups();
    const ours: readonly Group[] = [...spare];
    const wanted: Group[] = [];
    const opened: Group[] = [];
    try {
      for (const address of addresses) {
        const index = spare.findIndex((group) => sameAddress(group.address, address));
        if (index >= 0) wanted.push(...spare.splice(index, 1));
        else {
          const v6only = needsV6only(address, addresses);
          const group = await openFirstSocket(address, v6only, ours, options);
          opened.push(group);
          wanted.push(group);
        }
      }
      options.signal?.throwIfAborted();
      this.#fill([...wanted, ...spare], Math.max(this.#slots, slots), options.backlog);
    } catch (error) {
      for (const group of opened) closeSlots(group, 0);
      throw error;
    }
    // Nothing was awaited since #fill: slots that came or went while the attempts ran are in its account.
    this.#groups = wanted;
    this.#unused = spare;
  }

  /**
   * What the slot's worker inherits, in the order of the addresses: those of the last open(), or for a worker
   * of an earlier generation its own, as long as closeUnused() hasn't closed them.
   */
  forSlot(slot: number, addresses = this.#groups.map((group) => group.address)): SlotListener[] {
    if (slot < 0 || slot >= this.#slots) throw new RangeError(`no sockets for slot ${slot}`);
    const spare = this.#allGroups();
    return addresses.map((address) => {
      const index = spare.findIndex((group) => sameAddress(group.address, address));
      const [group] = index >= 0 ? spare.splice(index, 1) : [];
      const fd = group?.fds[group.kind === "slots" ? slot : 0];
      if (group === undefined || fd === undefined)
        throw new RangeError(`no socket for ${formatTuple(address)} in slot ${slot}`);
      const { hostname, port } = group.bound;
      return { fd, url: group.url, hostname, port };
    });
  }

  /** Opens the sockets of one more slot. New connections reach them when steer() counts the slot in. */
  addSlot(): void {
    // A socket of the group gets its share as soon as it listens, unless connections are steered already.
    if (this.#steered === null) this.steer(this.#slots);
    this.#fill(this.#allGroups(), this.#slots + 1, this.#backlog);
  }

  /**
   * Closes the sockets of the top slot. First steer() away from it and wait until its last worker is gone:
   * while any process holds the socket, it keeps its number in the group.
   */
  removeTopSlot(): void {
    if (this.#slots <= 1) throw new RangeError("the last slot can't be removed");
    if (this.#steered === this.#slots) this.steer(this.#slots - 1);
    this.#slots -= 1;
    for (const group of this.#allGroups()) closeSlots(group, this.#slots);
  }

  /** Gives new connections to slots 0 to count - 1 only. False where the system can't. */
  steer(count: number): boolean {
    if (count > this.#slots)
      throw new RangeError(`can't steer to ${count} of ${this.#slots} slots`);
    const steered = this.#allGroups()
      .map((group) => steerGroup(group, count))
      .every(Boolean);
    this.#steered = count;
    return steered;
  }

  /**
   * Before everything closes: no new connection enters, so that the queues run dry. It can't be undone, and
   * holds for every master that shares the sockets. False where the system can't.
   */
  refuseNew(): boolean {
    return this.#allFds().every((fd) => refuseNewConnections(fd));
  }

  /**
   * Closes the sockets of addresses that a reload left out, when the workers that serve them are told to
   * drain: they accept what waits, and nothing new arrives.
   */
  closeUnused(): void {
    for (const group of this.#unused) {
      for (const fd of listeningFds(group)) refuseNewConnections(fd);
      closeSlots(group, 0);
    }
    this.#unused = [];
  }

  /** Closes the master's side of everything; workers keep theirs. */
  close(): void {
    for (const group of this.#allGroups()) closeSlots(group, 0);
    this.#groups = [];
    this.#unused = [];
    this.#slots = 0;
    this.#steered = null;
  }

  #allGroups(): Group[] {
    return [...this.#groups, ...this.#unused];
  }

  #allFds(): number[] {
    return this.#allGroups().flatMap(listeningFds);
  }

  /** Opens what the groups lack for so many slots, or nothing. */
  #fill(groups: readonly Group[], slots: number, backlog: number): void {
    const before = groups.map((group) => group.fds.length);
    try {
      for (const group of groups) {
        if (this.#steered !== null) steerGroup(group, this.#steered);
        openSlots(group, slots, backlog);
      }
    } catch (error) {
      for (const [index, group] of groups.entries()) closeSlots(group, before[index] ?? 0);
      throw error;
    }
    if (backlog !== this.#backlog)
      for (const fd of groups.flatMap(listeningFds)) listen(fd, backlog);
    this.#backlog = backlog;
    this.#slots = slots;
  }
}

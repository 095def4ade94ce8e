/**
 * The listening sockets, owned by the master, which never accepts. With kind `slots` each TCP address has one
 * SO_REUSEPORT socket per slot, which outlives the slot's workers: what waits in its queue is served by the
 * successor. Otherwise one socket is for all slots.
 *
 * Sockets of an address are opened and closed at the top only: the kernel numbers them by the order in
 * which they began to listen, and steer() counts on that.
 */
import type { ListeningSocket } from "../api/serving.ts";
import { type Address, type FdAddress, formatTuple } from "../net/bind-address.ts";
import { bindAddresses, type BindSettings, secureByDefault } from "../net/secure-addresses.ts";
import type { SystemError } from "../os/libc.ts";
import { canSeeHandshakes, hasHandshakes } from "../os/sockets/listening/defer-accept.ts";
import { listen } from "../os/sockets/listening/socket.ts";
import {
  closeGroup,
  closeSlots,
  deferAt,
  fillSlots,
  equalShares,
  firstError,
  type Group,
  groupsOf,
  listeningFds,
  placeOf,
  steerGroup,
  stopArrivals,
  urlOf,
  waitingAt,
} from "./group.ts";
import { type Handover, planHandover } from "./handover.ts";
import { checkSchemes } from "./schemes.ts";
import type { OpenOptions } from "./open-group.ts";
import { Preparation } from "./preparation.ts";

export type { OpenOptions } from "./open-group.ts";

export interface ListenerFact {
  /** As in the log: `http://127.0.0.1:8000`. */
  readonly address: string;
  /** The first of its sockets. */
  readonly fd: number | null;
  readonly type: "tcp" | "tcp6" | "unix";
}

export class Listeners {
  readonly #activated: readonly FdAddress[] | null;
  #groups: readonly Group[] = [];
  /** What the configuration in use calls them: it may make TLS of an address that is open. */
  #addresses: readonly Address[] = [];
  /** Groups that are no longer wanted, and still open for the workers that serve them. */
  #unused: readonly Group[] = [];
  /** Groups among them that refuse new connections by now: nobody who comes back is served there. */
  #leaving: readonly Group[] = [];
  /** What prepare() has found and opened. */
  readonly #preparation = new Preparation();
  #slots = 0;
  #backlog = 0;
  /** As in OpenOptions, where the system shows who has connected and is silent. */
  #deferred = false;
  /** Null until that has been asked. */
  #seesHandshakes: boolean | null = null;
  /** What part of the new connections each slot gets; null as long as the kernel spreads them over all. */
  #steered: readonly number[] | null = null;

  /** @param activated the sockets that systemd has passed, which take the place of all binds */
  constructor(activated: readonly FdAddress[] | null = null) {
    this.#activated = activated;
  }

  /** The number of slots that have sockets. */
  get slots(): number {
    return this.#slots;
  }

  /** The addresses for the line `Listening at: `. */
  get urls(): readonly string[] {
    return this.#groups.map(({ bound }, at) => urlOf(this.#addresses[at]!, bound));
  }

  /** What is open for the configuration in use. */
  get facts(): ListenerFact[] {
    return this.#groups.map(({ bound, fds: [fd = null] }, at) => {
      const address = urlOf(this.#addresses[at]!, bound);
      const type = bound.type === "unix" ? "unix" : bound.family === 6 ? "tcp6" : "tcp";
      return { address, fd, type };
    });
  }

  /** What a configuration binds to. Throws ConfigError. */
  addresses(config: BindSettings): Address[] {
    if (this.#activated === null) return bindAddresses(config);
    const secure = secureByDefault({ ...config, bind: [] });
    return this.#activated.map((address) => ({ ...address, secure }));
  }

  /**
   * Before the first open(): takes over the sockets that an old master has left to this process. Those of
   * one address stand in the order of their slots.
   * @param secure those of them that it serves TLS on
   */
  adopt(fds: readonly number[], secure: readonly number[] = []): void {
    this.#preparation.inherit(fds, secure);
  }

  /** What the new master needs to adopt the sockets. */
  handover(pid: number): Handover {
    return planHandover(this.#allGroups(), this.#activated?.length ?? 0, pid);
  }

  /** Opens the addresses and puts them to use: prepare() and use() at a time. */
  async open(addresses: readonly Address[], slots: number, options: OpenOptions): Promise<void> {
    await this.prepare(addresses, slots, options);
    this.use(addresses, options.backlog);
  }

  /**
   * Opens those of the addresses that aren't open yet, with at least `slots` slots each, and keeps them aside for use()
   * or discard(). Answers whether use() would change where the server listens. One call at a time. After adopt() there
   * are as many slots as the old master had, until addSlot(): connections that reach a new socket are lost if this
   * master's workers turn out not to boot. Throws ListenError, ConfigError, or SystemError for a lack of fds, and then
   * everything is as it was.
   */
  async prepare(
    addresses: readonly Address[],
    slots: number,
    options: OpenOptions,
  ): Promise<boolean> {
    const preparation = this.#preparation;
    this.#deferred = options.deferred === true && (this.#seesHandshakes ??= canSeeHandshakes());
    await preparation.adopt(addresses, options.kind);
    try {
      const wanted = await preparation.open(addresses, options, {
        groups: () => this.#allGroups(),
        leaving: () => this.#leaving,
      });
      options.signal?.throwIfAborted();
      checkSchemes(addresses, wanted, (group) => preparation.isSecure(group));
      // A slot that went while the attempts ran stays away.
      const least = this.#slots || preparation.slots || slots;
      this.#fill([...this.#allGroups(), ...preparation.groups], least, options.backlog);
      return (
        wanted.length !== this.#groups.length || wanted.some((g, at) => g !== this.#groups[at])
      );
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /**
   * From now on the server listens at the addresses, which are open already or prepared. Those that are no longer
   * wanted stay open until closeUnused().
   */
  use(addresses: readonly Address[], backlog: number): void {
    const open = this.#allGroups();
    const all = [...open, ...this.#preparation.groups];
    // Slots that came while the attempts ran have no sockets of the new addresses yet.
    this.#fill(all, this.#slots, backlog);
    const groups = groupsOf(addresses, all).map((group, at) => {
      if (group === null) throw new RangeError(`no socket for ${formatTuple(addresses[at]!)}`);
      return group;
    });
    this.#groups = groups;
    this.#addresses = addresses;
    this.#unused = open.filter((group) => !groups.includes(group));
    this.#preparation.taken(groups);
    if (backlog !== this.#backlog)
      for (const fd of this.#allGroups().flatMap(listeningFds)) listen(fd, backlog);
    this.#backlog = backlog;
  }

  /** Closes what prepare() has opened, and use() won't need. */
  discard(): void {
    this.#preparation.discard();
  }

  /**
   * What the slot's worker inherits, in the order of the addresses: those of the last use(), or for a worker
   * of an earlier generation its own, as long as closeUnused() hasn't closed them.
   */
  forSlot(slot: number, addresses = this.#addresses): ListeningSocket[] {
    if (slot < 0 || slot >= this.#slots) throw new RangeError(`no sockets for slot ${slot}`);
    const groups = groupsOf(addresses, this.#allGroups());
    return addresses.map((address, at) => {
      const group = groups[at] ?? null;
      const fd = group?.fds[group.kind === "slots" ? slot : 0];
      if (group === null || fd === undefined)
        throw new RangeError(`no socket for ${formatTuple(address)} in slot ${slot}`);
      return {
        fd,
        url: urlOf(address, group.bound),
        bound: placeOf(group),
        shared: group.kind === "shared",
        secure: address.secure,
      };
    });
  }

  /**
   * How many connections wait to be accepted; those at unix sockets aren't counted, nor what the system doesn't tell.
   * Linux only.
   */
  waiting(): number {
    return sum(this.#allGroups().map((group) => waitingAt(group, listeningFds(group))));
  }

  /** The same of the slot's own sockets: none where all slots share one. */
  waitingAt(slot: number): number {
    const own = this.#allGroups().filter(({ kind }) => kind === "slots");
    return sum(own.map((group) => waitingAt(group, [group.fds[slot]])));
  }

  /** What part of the new connections each slot gets, as steer() was told last; null where nobody has a say in it. */
  get shares(): readonly number[] | null {
    const own = this.#allGroups().some(({ kind }) => kind === "slots");
    return own ? (this.#steered ?? []) : null;
  }

  /** Opens the sockets of one more slot. New connections reach them when steer() counts the slot in. */
  addSlot(): void {
    // A socket of the group gets its share as soon as it listens, unless connections are steered already.
    if (this.#steered === null) this.steer(equalShares(this.#slots));
    this.#fill(this.#allGroups(), this.#slots + 1, this.#backlog);
  }

  /**
   * Closes the sockets of the top slot. First steer() away from it and wait until its last worker is gone:
   * while any process holds the socket, it keeps its number in the group.
   */
  removeTopSlot(): Error | null {
    if (this.#slots <= 1) throw new RangeError("the last slot can't be removed");
    if (this.#steered?.length === this.#slots) this.steer(equalShares(this.#slots - 1));
    this.#slots -= 1;
    return firstError(this.#allGroups().map((group) => closeSlots(group, this.#slots)));
  }

  /** Gives new connections to the first slots, by their shares. Answers why the system refuses; null when it is done. */
  steer(shares: readonly number[]): SystemError | null {
    if (shares.length > this.#slots)
      throw new RangeError(`can't steer to ${shares.length} of ${this.#slots} slots`);
    const refused = firstError(this.#allGroups().map((group) => steerGroup(group, shares)));
    this.#steered = shares;
    return refused;
  }

  /**
   * Before everything closes: no new connection enters, so that the queues run dry. It can't be undone, and
   * holds for every process that has the sockets: with `shared`, where another master serves on them, nothing
   * is done. Sockets of systemd and fd://N are left alone too, what comes waits for whoever is next. Answers
   * why the system refuses; null when what can be done is done.
   */
  refuseNew(shared: boolean): Error | null {
    return shared ? null : firstError(this.#allGroups().map(stopArrivals));
  }

  /**
   * The same for the addresses that a reload left out, for good: a configuration that wants one of them again opens it
   * anew.
   */
  refuseUnused(shared: boolean): Error | null {
    const leaving = this.#unused;
    this.#leaving = [...this.#leaving, ...leaving];
    this.#unused = [];
    return shared ? null : firstError(leaving.map(stopArrivals));
  }

  /** Clients have begun to connect, and may wait with their first bytes until they are accepted. */
  hasHandshakes(): boolean {
    return this.#deferred && hasHandshakes(portsOf([...this.#allGroups(), ...this.#leaving]));
  }

  /** Closes the master's side of groups that are no longer wanted; the workers that serve them accept what waits. */
  closeUnused(shared: boolean): Error | null {
    const refused = firstError(this.#leaving.map((group) => closeGroup(group, shared)));
    this.#leaving = [];
    return refused;
  }

  /**
   * Closes the master's side of everything; workers keep theirs. Files of unix sockets stay if another master shares
   * them.
   */
  close(shared: boolean): Error | null {
    const groups = [...this.#allGroups(), ...this.#leaving];
    const refused = firstError(groups.map((group) => closeGroup(group, shared)));
    this.discard();
    this.#groups = [];
    this.#addresses = [];
    this.#unused = [];
    this.#leaving = [];
    this.#slots = 0;
    this.#steered = null;
    return refused;
  }

  #allGroups(): Group[] {
    return [...this.#groups, ...this.#unused];
  }

  /** Opens what the groups lack for so many slots, or nothing. */
  #fill(groups: readonly Group[], slots: number, backlog: number): void {
    fillSlots(groups, slots, backlog, this.#steered);
    for (const group of groups) deferAt(group, this.#deferred);
    this.#slots = slots;
  }
}

function portsOf(groups: readonly Group[]): ReadonlySet<number> {
  return new Set(groups.flatMap(({ bound }) => (bound.type === "tcp" ? [bound.port] : [])));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

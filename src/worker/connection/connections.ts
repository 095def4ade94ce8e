/** All connections of a worker: their number, their clock, and the end of the last one. */
import { refreshDate } from "../../http/response/head/date.ts";

/** The step of the clock: timeouts are late by at most this. */
export const tickMs = 250;

export interface Member {
  /** One step of the clock. Who swaps with it meanwhile takes that step, too. */
  tick(): void;
  /** The worker leaves. */
  drain(): void;
}

/** A member that has no requests which would come to an end. */
export interface LastingMember {
  /** One step of the clock. */
  tick(): void;
  /** Sends what is on its way, and closes. */
  leave(): void;
}

export class Connections {
  readonly #members = new Set<Member>();
  readonly #lasting = new Set<LastingMember>();
  /** Shows the number to the master. */
  readonly #scores: { connections: number };
  #draining = false;
  #timer: ReturnType<typeof setInterval> | null = null;
  #served: PromiseWithResolvers<void> | null = null;
  #empty: PromiseWithResolvers<void> | null = null;

  constructor(scores: { connections: number }) {
    this.#scores = scores;
  }

  get size(): number {
    return this.#members.size + this.#lasting.size;
  }

  /** Each answer ends its connection. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Lets time pass. To be called any number of times. */
  start(): void {
    // A count of ticks, not of milliseconds: while the loop is blocked, nobody's time runs out.
    this.#timer ??= setInterval(() => this.tick(), tickMs);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** One step of all members' clocks. */
  tick(): void {
    refreshDate(Date.now());
    // It comes to those that are added meanwhile.
    for (const member of this.#members) member.tick();
    for (const member of this.#lasting) member.tick();
  }

  /** The connection of `member` is that of `next` from now on. */
  swap(member: Member, next: Member): void {
    this.#members.add(next);
    this.#members.delete(member);
  }

  add(member: Member): void {
    this.#members.add(member);
    this.#scores.connections = this.size;
    if (this.#draining) member.drain();
  }

  /** The connection of `member` is a lasting one from now on. */
  replace(member: Member, lasting: LastingMember): void {
    this.#members.delete(member);
    this.#lasting.add(lasting);
    if (this.#members.size === 0) this.#served?.resolve();
  }

  remove(member: Member | LastingMember): void {
    if (!this.#members.delete(member as Member)) this.#lasting.delete(member as LastingMember);
    this.#scores.connections = this.size;
    if (this.#members.size === 0) this.#served?.resolve();
    if (this.size === 0) this.#empty?.resolve();
  }

  /** From now on answers say `Connection: close`, and idle clients have until keepalive for one more request. */
  drain(): void {
    this.#draining = true;
    for (const member of this.#members) member.drain();
  }

  /** Resolves when no connection is open but lasting ones. */
  async served(): Promise<void> {
    if (this.#members.size === 0) return;
    this.#served = Promise.withResolvers();
    await this.#served.promise;
  }

  /** Ends what lasts. Resolves when no connection is open. */
  async emptied(): Promise<void> {
    for (const member of this.#lasting) member.leave();
    if (this.size === 0) return;
    this.#empty = Promise.withResolvers();
    await this.#empty.promise;
  }
}

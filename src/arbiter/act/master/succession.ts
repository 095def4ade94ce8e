/**
 * Counters over an upgrade: each of the two masters shows what both have counted, and who stays takes over what the other one
 * has. Invariant: nobody shows what the other can't see, so that no figure goes back, whichever answers next.
 */
import { closeSync } from "node:fs";
import { type Counted, Ledger, ledgerBytes } from "../../../ipc/ledger.ts";
import { type Counts, countsOf, named, sumOf, withMore } from "../../decide/counts.ts";
import type { Fleet } from "../../decide/state.ts";

/** The memory for a new master; a descriptor, which is closed when that is started. */
export interface CountsHandover {
  readonly fd: number;
  close(): void;
}

export class Succession {
  /** Gives memory of a size, all 0; throws when there is none. */
  readonly #open: (bytes: number) => number;
  /** Shared with the other master of an upgrade. */
  #ledger: Ledger | null;
  #own: () => Counts = () => {
    throw new Error("Nobody counts");
  };
  /** What masters have counted that have gone. */
  #gone: Counted = {};

  /** @param inherited the descriptor that an old master has left; null: there is none, or it is of a version without */
  constructor(open: (bytes: number) => number, inherited: number | null) {
    this.#open = open;
    this.#ledger = inherited === null ? null : Ledger.inherit(inherited);
  }

  /** Where to find out what this master has counted itself. */
  count(
    fleet: () => Pick<Fleet, "lastAge" | "ended" | "lastGeneration">,
    scoreboard: { readonly totals: Counts["totals"] },
    children: { cpuTimes(): Pick<Counts, "workersCpuSeconds" | "masterCpuSeconds"> },
  ): void {
    this.#own = () => countsOf(fleet(), scoreboard.totals, children.cpuTimes());
  }

  /** Begins an upgrade. Throws when there is no memory: the new master counts from 0 then. */
  handOver(): CountsHandover {
    const fd = this.#open(ledgerBytes);
    const close = () => closeSync(fd);
    try {
      const counted = this.#counted();
      const ledger = Ledger.create(fd, Object.keys(counted));
      ledger.write(counted);
      this.#ledger = ledger;
    } catch (error) {
      close();
      throw error;
    }
    return { fd, close };
  }

  /** To be called after each event, the last one included. @param together the other master lives */
  observe(together: boolean): void {
    if (this.#ledger === null) return;
    if (together) return this.#ledger.write(this.#counted());
    this.#gone = sumOf(this.#gone, this.#ledger.read());
    this.#ledger = null;
  }

  /** What is shown: what this master has counted, those before it, and the one beside it. */
  join(): Counts {
    const own = this.#own();
    const before = withMore(own, this.#gone);
    if (this.#ledger === null) return before;
    this.#ledger.write(this.#counted(own));
    return withMore(before, this.#ledger.read());
  }

  /** With what those before it have, for the other master: names that only they knew stay. */
  #counted(own = this.#own()): Counted {
    return sumOf(named(own), this.#gone);
  }
}

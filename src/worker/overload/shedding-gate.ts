/** The gate of a worker with shed_latency_ms: who comes is let in, waits for `threads`, or is refused. */
import type { RequestFacts } from "../../api/request-record.ts";
import type { Comer, Door, Gate, Guest } from "../exchange/gate.ts";

/** Who decides. */
interface Judge {
  refuses(request: RequestFacts, nowMs: number): boolean;
  finished(): void;
}

export class SheddingGate implements Door {
  readonly #judge: Judge;
  readonly #inner: Gate | null;

  /** @param inner null if the app may have any number of requests at a time */
  constructor(judge: Judge, inner: Gate | null) {
    this.#judge = judge;
    this.#inner = inner;
  }

  admit(guest: Comer): boolean {
    const nowMs = performance.now();
    if (this.#judge.refuses(guest.head, nowMs)) {
      guest.refuse();
      return false;
    }
    return this.#inner === null || this.#inner.admit(guest, nowMs);
  }

  leave(): void {
    this.#judge.finished();
    this.#inner?.leave();
  }

  forget(guest: Guest): void {
    this.#judge.finished();
    this.#inner?.forget(guest);
  }

  moves(): boolean {
    return this.#inner?.moves() ?? true;
  }
}

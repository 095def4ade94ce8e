/** A worker beside others at sockets that all share: it stands back while they are behind. */
import type { ScoreboardRow } from "../../ipc/scoreboard.ts";
import { AcceptShare, type Standing, turnMs } from "./accept-share.ts";

type Row = Pick<ScoreboardRow, "accepted" | "connections" | "takes">;

/** A sixteenth more or less isn't behind: connections come and go. */
const toleranceShift = 4;

/** It stands back no longer than this, whatever a turn of a busy machine takes. */
const longestMs = 200;

export interface SharedQueueParts {
  readonly own: Row;
  readonly siblings: { readonly rows: readonly Row[] };
  /** Whether a connection waits at any of the sockets that all share. */
  readonly waiting: () => boolean;
  /** Ends accepting for now. */
  readonly stop: () => void;
  /** Begins anew, if the worker still accepts at all. */
  readonly resume: () => void;
}

export class SharedQueue {
  readonly #parts: SharedQueueParts;
  readonly #share = new AcceptShare();
  #standsBack = false;

  constructor(parts: SharedQueueParts) {
    this.#parts = parts;
  }

  /** The others have a moment to take what comes. */
  get standsBack(): boolean {
    return this.#standsBack;
  }

  /** A connection has come from a socket that all share. */
  accepted(): void {
    const nowMs = performance.now();
    if (!this.#share.standsBack(this.#standing(), this.#parts.waiting, nowMs)) return;
    this.#standsBack = true;
    this.#parts.stop();
    this.#wait(turnMs, nowMs + longestMs);
  }

  #wait(ms: number, untilMs: number): void {
    setTimeout(() => {
      const moreMs = this.#share.next(this.#standing(), this.#parts.waiting());
      if (moreMs > 0 && performance.now() < untilMs) return this.#wait(moreMs, untilMs);
      this.#standsBack = false;
      this.#parts.resume();
    }, ms);
  }

  #standing(): Standing {
    const { own, siblings } = this.#parts;
    let fewest = own.connections;
    let others = 0;
    for (const row of siblings.rows) {
      if (row.takes === 0) continue;
      others += row.accepted;
      if (row.connections < fewest) fewest = row.connections;
    }
    return { ahead: own.connections - fewest - (fewest >> toleranceShift), others };
  }
}

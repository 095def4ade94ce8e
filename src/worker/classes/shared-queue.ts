/** A worker beside others at sockets that all share: it stands back while they are behind. */
import type { ScoreboardRow } from "../../ipc/scoreboard.ts";
import { hasWaiting } from "../../os/sockets/listening/accept-queue.ts";
import { AcceptShare, type Standing, turnMs } from "./accept-share.ts";

type Row = Pick<ScoreboardRow, "accepted" | "connections" | "takes">;

/** A sixteenth more or less isn't behind: connections come and go. */
const toleranceShift = 4;

export interface SharedQueueParts {
  readonly own: Row;
  readonly siblings: readonly Row[];
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

  /** A connection has come from the socket. */
  accepted(fd: number): void {
    const waiting = () => hasWaiting(fd);
    if (!this.#share.standsBack(this.#standing(), waiting, performance.now())) return;
    this.#standsBack = true;
    this.#parts.stop();
    this.#wait(fd, turnMs);
  }

  #wait(fd: number, ms: number): void {
    setTimeout(() => {
      const moreMs = this.#share.next(this.#standing(), hasWaiting(fd));
      if (moreMs > 0) return this.#wait(fd, moreMs);
      this.#standsBack = false;
      this.#parts.resume();
    }, ms);
  }

  #standing(): Standing {
    const { own, siblings } = this.#parts;
    let fewest = own.connections;
    let others = 0;
    for (const row of siblings) {
      if (row.takes === 0) continue;
      others += row.accepted;
      if (row.connections < fewest) fewest = row.connections;
    }
    return { ahead: own.connections - fewest - (fewest >> toleranceShift), others };
  }
}

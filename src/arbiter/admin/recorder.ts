/** Looks at the server while somebody watches it: each second one, which is compared with those of some seconds before. */
import { version } from "../../version.ts";
import type { Happening } from "./history.ts";
import { figuresOf, type Look, type PageFigures } from "./page/figures.ts";
import type { Snapshot } from "./snapshot.ts";

/** What durations are of: long enough to have some, short enough to move. */
const windowMs = 10_000;
/** Nobody has watched since: what was before says nothing of now. */
const staleMs = 5000;

export interface RecorderParts {
  readonly snapshot: () => Snapshot;
  readonly happenings: () => readonly Happening[];
  readonly steered: () => boolean;
}

export class Recorder {
  readonly #parts: RecorderParts;
  #looks: readonly Look[] = [];

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** @param atMs by performance.now(); @param now in milliseconds since 1970 */
  take(atMs: number, now: number): PageFigures {
    const snapshot = this.#parts.snapshot();
    const { totals, workers } = snapshot.status;
    const last = this.#looks.at(-1) ?? null;
    if (last !== null && atMs - last.atMs > staleMs) this.#looks = [];
    const look: Look = { atMs, status: { totals, workers } };
    const looks = this.#looks.filter((each) => atMs - each.atMs <= windowMs);
    this.#looks = [...looks, look];
    const earlier = { last: looks.at(-1) ?? null, oldest: looks[0] ?? null };
    return figuresOf(snapshot, look, earlier, {
      at: now,
      version,
      history: this.#parts.happenings(),
      steered: this.#parts.steered(),
    });
  }
}

/** The heartbeat of a worker, and what it notices with each beat. */
import { describeNewest } from "../../ipc/describe-doing.ts";
import { readNewest } from "../../ipc/newest-request.ts";
import type { ScoreboardRow } from "../../ipc/scoreboard.ts";

/** Four beats a second: the master reads as often, so that silence is noticed soon after `timeout`. */
const beatMs = 250;

export class Pulse {
  readonly #scores: ScoreboardRow;
  #requests = 0;
  #newestAtMs = 0;

  constructor(scores: ScoreboardRow) {
    this.#scores = scores;
  }

  /** @param moves false: the app stands still, and so does the heart */
  start(moves: () => boolean): void {
    this.#scores.beat += 1;
    let lastMs = performance.now();
    setInterval(() => {
      const nowMs = performance.now();
      this.#scores.loopDelayMs = Math.max(0, nowMs - lastMs - beatMs);
      lastMs = nowMs;
      this.#look(nowMs);
      if (moves()) this.#scores.beat += 1;
    }, beatMs);
  }

  /** `: GET /slow for 30.2 s`, of the newest request in flight; empty for none. */
  newest(): string {
    const nowMs = performance.now();
    this.#look(nowMs);
    const { inFlight } = this.#scores;
    const newestMs = nowMs - this.#newestAtMs;
    return describeNewest({ inFlight, newest: readNewest(this.#scores.newest), newestMs });
  }

  #look(nowMs: number): void {
    const { requests } = this.#scores;
    if (requests === this.#requests) return;
    this.#requests = requests;
    this.#newestAtMs = nowMs;
  }
}

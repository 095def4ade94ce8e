/** The heartbeat of a worker, and what it notices with each beat. */
import { describeNewest } from "../../ipc/describe-doing.ts";
import { readNewest } from "../../ipc/newest-request.ts";
import type { ScoreboardRow } from "../../ipc/scoreboard.ts";
import { Lateness } from "../overload/lateness.ts";

/** Four beats a second: the master reads as often, so that silence is noticed soon after `timeout`. */
const beatMs = 250;

export class Pulse {
  readonly #scores: ScoreboardRow;
  #requests = 0;
  #accepted = 0;
  #newestAtMs = 0;

  constructor(scores: ScoreboardRow) {
    this.#scores = scores;
  }

  /** @param moves false: the app stands still, and so does the heart */
  start(moves: () => boolean): void {
    this.#scores.beat += 1;
    let lastMs = performance.now();
    // Others may have the connections that come to a worker that is late, also those that come later than it.
    const lateness = new Lateness();
    setInterval(() => {
      const nowMs = performance.now();
      const lateMs = Math.max(0, nowMs - lastMs - beatMs);
      this.#scores.loopDelayMs = lateMs;
      lastMs = nowMs;
      this.#scores.lateness = lateness.beat(lateMs, this.#somethingCame());
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

  #somethingCame(): boolean {
    const { accepted, requests } = this.#scores;
    const came = accepted !== this.#accepted || requests !== this.#requests;
    this.#accepted = accepted;
    return came;
  }

  #look(nowMs: number): void {
    const { requests } = this.#scores;
    if (requests === this.#requests) return;
    this.#requests = requests;
    this.#newestAtMs = nowMs;
  }
}

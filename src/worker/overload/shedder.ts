/**
 * shed_latency_ms: which requests are refused before the app is asked, since it is behind with others. What the loop can
 * do in time is handed on, and the newest are refused; an app that only waits makes no request late.
 */
import type { Log } from "../../api/log.ts";
import type { RequestFacts } from "../../api/request-record.ts";
import type { ConfigData } from "../../config/data.ts";
import type { ScoreboardRow } from "../../ipc/scoreboard.ts";
import { rawPath } from "../../log/access/request-facts.ts";
import type { Door, Gate } from "../exchange/gate.ts";
import { AdmissionRate } from "./admission-rate.ts";
import { type LoopClock, loopClock, LoopTurns } from "./loop-turns.ts";
import { SheddingGate } from "./shedding-gate.ts";
import { StandingDelay } from "./standing-delay.ts";

export interface ShedderParts {
  readonly config: Pick<ConfigData, "shedLatencyMs" | "shedExempt">;
  readonly log: Log;
  readonly scores: Pick<ScoreboardRow, "sheds">;
  /** A test's. */
  readonly clock?: LoopClock;
}

export class Shedder {
  readonly #targetMs: number;
  readonly #exempt: ReadonlySet<string>;
  readonly #log: Log;
  readonly #scores: Pick<ScoreboardRow, "sheds">;
  readonly #turns: LoopTurns;
  readonly #delay: StandingDelay;
  readonly #rate: AdmissionRate;
  /** Where requests wait for one another; null without `threads`. */
  #queue: Gate | null = null;
  /** Requests refused since the overload began; 0: there is none. */
  #episode = 0;
  /** Requests that were taken on and haven't come to their end. */
  #underWay = 0;
  #beganMs = 0;
  #untold = 0;
  #endWatch: (() => void) | null = null;
  readonly #clock: LoopClock;

  constructor({ config, log, scores, clock = loopClock }: ShedderParts) {
    this.#clock = clock;
    this.#targetMs = config.shedLatencyMs;
    this.#exempt = new Set(config.shedExempt);
    this.#log = log;
    this.#scores = scores;
    this.#delay = new StandingDelay(config.shedLatencyMs);
    this.#rate = new AdmissionRate(config.shedLatencyMs);
    this.#turns = new LoopTurns((nowMs, tookMs) => this.#see(nowMs, tookMs), clock);
  }

  /** What requests pass before the app is asked. `bound`: where they wait for one another, if they do. */
  gate(bound: Gate | null): Door {
    this.#queue = bound;
    return new SheddingGate(this, bound);
  }

  /** Asked of each request, once, and before the app is; true: it is to be answered with 503. */
  refuses(request: RequestFacts, nowMs: number): boolean {
    const lateMs = this.#turns.arrive(nowMs);
    const queuedMs = this.#queuedMs(nowMs);
    this.#delay.arrived(nowMs, Math.max(lateMs, queuedMs));
    this.#delay.passed(nowMs);
    if (!this.#delay.stands) return this.#takeOn();
    if (this.#exempt.size > 0 && this.#exempt.has(rawPath(request))) return this.#takeOn();
    // The first of each turn is the oldest: something has to be done.
    const tooLate = this.#turns.tookMs(nowMs) > this.#targetMs / 2 && this.#turns.requests > 1;
    if (!tooLate && queuedMs <= this.#targetMs) {
      // Apps that don't wait for anything are told by their turns alone.
      if (this.#underWay === 0 || this.#rate.take(nowMs)) return this.#takeOn();
    }
    this.#count(nowMs);
    return true;
  }

  /** A request that wasn't refused has come to its end. */
  finished(): void {
    this.#underWay -= 1;
    this.#rate.finished();
    this.#turns.works();
  }

  #takeOn(): false {
    this.#underWay += 1;
    return false;
  }

  /** A turn that was long delays those that came meanwhile; one that was short shows that the loop has caught up. */
  #see(nowMs: number, tookMs: number): void {
    this.#rate.turned(nowMs, tookMs);
    this.#delay.turned(nowMs, Math.max(tookMs, this.#queuedMs(nowMs)));
  }

  #queuedMs(nowMs: number): number {
    return this.#queue?.oldestMs(nowMs) ?? 0;
  }

  #count(nowMs: number): void {
    this.#delay.refused(nowMs);
    this.#scores.sheds += 1;
    this.#untold += 1;
    this.#episode += 1;
    if (this.#episode > 1) return;
    this.#beganMs = nowMs;
    this.#log.warning(
      `Overload: requests wait for more than shed_latency_ms (${this.#targetMs} ms), the newest are answered with 503`,
    );
    this.#endWatch = this.#clock.eachSecond(() => this.#tell(this.#clock.nowMs()));
  }

  #tell(nowMs: number): void {
    const metric = "gunicorn.requests.shed";
    if (this.#untold > 0) this.#log.info("", { metric, value: this.#untold, mtype: "counter" });
    this.#untold = 0;
    // Nothing may come any more.
    this.#delay.passed(nowMs);
    if (this.#delay.stands) return;
    this.#endWatch?.();
    const seconds = ((nowMs - this.#beganMs) / 1000).toFixed(1);
    this.#log.info(`Overload is over: ${this.#episode} requests were refused in ${seconds} s`);
    this.#episode = 0;
  }
}

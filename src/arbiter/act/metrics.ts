/** What statsD hears of the master itself: how many workers live, and how many connections wait. */
import type { Config } from "../../config/types.ts";
import type { Listeners } from "../../listen/listeners.ts";
import type { Statsd } from "../../telemetry/statsd.ts";

/** Gunicorn measures with each pass of its loop, which is about as often. */
const backlogMs = 1000;

/** What a reload changes. */
interface InUse {
  readonly logs: { readonly statsd: Statsd | null };
  readonly resolved: { readonly config: Pick<Config, "enableBacklogMetric"> };
}

export class Metrics {
  readonly #listeners: Pick<Listeners, "waiting">;
  /** Who was told last, and what. */
  #told: Statsd | null = null;
  #workers = 0;
  #backlogAtMs = 0;

  constructor(listeners: Pick<Listeners, "waiting">) {
    this.#listeners = listeners;
  }

  /** To be called after each event; there is a tick among them each quarter of a second. */
  observe({ logs, resolved }: InUse, workers: number, nowMs: number): void {
    const { statsd } = logs;
    if (statsd === null) return;
    if (statsd !== this.#told || workers !== this.#workers) {
      this.#told = statsd;
      this.#workers = workers;
      statsd.gauge("gunicorn.workers", workers);
    }
    if (!resolved.config.enableBacklogMetric || nowMs < this.#backlogAtMs) return;
    this.#backlogAtMs = nowMs + backlogMs;
    statsd.histogram("gunicorn.backlog", this.#listeners.waiting());
  }
}

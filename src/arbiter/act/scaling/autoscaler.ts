/** `autoscale`: takes a sample of the load each second, and tells the arbiter of the steps that it asks for. */
import type { Config } from "../../../config/types.ts";
import type { Listeners } from "../../../listen/listeners.ts";
import type { LoadSample } from "../../../scaling/load-sample.ts";
import { nextStep, sampleMs, withSample } from "../../../scaling/steps.ts";
import { mayAutoscale } from "../../decide/update/autoscale.ts";
import type { Event } from "../../decide/events.ts";
import type { State } from "../../decide/state.ts";
import type { Status } from "../../decide/status.ts";
import { takeLoad } from "./load.ts";

export interface AutoscalerParts {
  readonly status: (busy: boolean) => Status;
  readonly release: () => { readonly resolved: { readonly config: Config } };
  readonly listeners: Pick<Listeners, "waiting">;
  readonly host: { handle(event: Event): void };
}

export class Autoscaler {
  readonly #parts: AutoscalerParts;
  #samples: readonly LoadSample[] = [];
  #dueMs = 0;

  constructor(parts: AutoscalerParts) {
    this.#parts = parts;
  }

  /** To be called after each event; there is a tick among them each quarter of a second. */
  observe(state: State, nowMs: number): void {
    const { autoscale } = state.fleet.wanted;
    if (autoscale === null || !mayAutoscale(state)) {
      this.#samples = [];
      return;
    }
    if (nowMs < this.#dueMs) return;
    this.#dueMs = nowMs + sampleMs;
    const { status, release, listeners, host } = this.#parts;
    const sample = takeLoad(status(false), release().resolved.config, listeners);
    this.#samples = withSample(this.#samples, sample, autoscale);
    const step = nextStep(this.#samples, autoscale);
    if (step === null) return;
    this.#samples = [];
    host.handle({ type: "autoscale", ...step });
  }
}

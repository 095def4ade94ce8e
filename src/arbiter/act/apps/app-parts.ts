/** What apps say to the master, by what it is about: what their websockets publish, and what they have counted. */
import type { AppMessage } from "../../../ipc/messages.ts";
import type { AppFamily } from "../../../telemetry/metrics/app-families.ts";
import { AppMetrics } from "./app-metrics.ts";
import { Relay, type RelayHost, trySend } from "./relay.ts";

export class AppParts {
  readonly #relay: Relay;
  readonly #metrics: AppMetrics;

  constructor(host: RelayHost) {
    this.#relay = new Relay(host);
    this.#metrics = new AppMetrics({
      log: (level, message) => host.log(level, message),
      send: (age, message) =>
        trySend(host, age, message, "Can't ask a worker for its app's metrics"),
    });
  }

  receive(age: number, message: AppMessage): void {
    if (message.type === "app metrics") this.#metrics.receive(age, message);
    else this.#relay.receive(age, message);
  }

  /** A worker has gone. */
  remove(age: number): void {
    this.#relay.remove(age);
    this.#metrics.remove(age);
  }

  /** The metrics that apps have themselves; null: there are none. */
  metrics(): Promise<readonly AppFamily[]> | null {
    return this.#metrics.gather();
  }
}

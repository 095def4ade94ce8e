/** The metrics that apps have themselves: asked of the workers when somebody scrapes, and kept of those that have gone. */
import type { AppMetricsMessage, MasterMessage } from "../../../ipc/messages.ts";
import type { LogLevel } from "../../../log/error-log.ts";
import {
  aggregate,
  type AppFamily,
  depart,
  readFamilies,
} from "../../../telemetry/metrics/app-families.ts";

/** How long a scrape waits for workers: one that is blocked is shown as it was. */
const patienceMs = 500;

export interface AppMetricsHost {
  send(age: number, message: MasterMessage): void;
  log(level: LogLevel, message: string): void;
}

interface Member {
  families: readonly AppFamily[];
  /** Since it was asked last it hasn't answered, though it had its time. */
  silent: boolean;
}

export class AppMetrics {
  readonly #host: AppMetricsHost;
  /** By age: those whose app has metrics. */
  readonly #members = new Map<number, Member>();
  #departed: readonly AppFamily[] = [];
  #waiting = new Set<number>();
  #answered: (() => void) | null = null;
  #gathering: Promise<readonly AppFamily[]> | null = null;
  /** What the log has heard. */
  #told = "";

  constructor(host: AppMetricsHost) {
    this.#host = host;
  }

  /** What a worker's app has counted so far. */
  receive(age: number, { families: json, last }: AppMetricsMessage): void {
    const read = json === null ? null : readFamilies(json);
    if (typeof read === "string") this.#complain(read);
    const before = this.#members.get(age)?.families ?? [];
    this.#members.set(age, { families: Array.isArray(read) ? read : before, silent: false });
    if (last) this.#host.send(age, { type: "app metrics taken" });
    this.#settle(age);
  }

  /** A worker has gone. */
  remove(age: number): void {
    const member = this.#members.get(age);
    if (member === undefined) return;
    this.#members.delete(age);
    this.#departed = depart(this.#departed, member.families);
    this.#settle(age);
  }

  /** As they are now, as far as the workers say so in time. Null: no app has any. */
  gather(): Promise<readonly AppFamily[]> | null {
    if (this.#members.size === 0 && this.#departed.length === 0) return null;
    this.#gathering ??= this.#ask().finally(() => (this.#gathering = null));
    return this.#gathering;
  }

  async #ask(): Promise<readonly AppFamily[]> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#answered = resolve;
    for (const [age, { silent }] of this.#members) {
      // It has been asked, and once it can answer it does.
      if (silent) continue;
      this.#waiting.add(age);
      this.#host.send(age, { type: "app metrics wanted" });
    }
    const timer = setTimeout(resolve, patienceMs);
    if (this.#waiting.size > 0) await promise;
    clearTimeout(timer);
    for (const age of this.#waiting) {
      const member = this.#members.get(age);
      if (member !== undefined) member.silent = true;
    }
    this.#waiting.clear();
    const byBirth = [...this.#members].sort(([one], [other]) => one - other);
    // Names and types as those have them who live.
    return aggregate([...byBirth.map(([, { families }]) => families), this.#departed]);
  }

  #settle(age: number): void {
    if (this.#waiting.delete(age) && this.#waiting.size === 0) this.#answered?.();
  }

  #complain(why: string): void {
    if (why === this.#told) return;
    this.#told = why;
    this.#host.log("error", `admin_bind: the app's metrics can't be shown: ${why}`);
  }
}

/** The configurations that workers were born under, by generation number. */
import type { Logs } from "../../log/logs.ts";
import type { AppConfig } from "./generation.ts";

/** A configuration, and the logs that it asks for. */
export interface Release {
  readonly resolved: AppConfig;
  readonly logs: Logs;
}

export class Releases {
  readonly #byNumber = new Map<number, Release>();

  add(number: number, release: Release): void {
    this.#byNumber.set(number, release);
  }

  get(number: number): Release {
    const release = this.#byNumber.get(number);
    if (release === undefined) throw new Error(`no configuration of generation ${number}`);
    return release;
  }

  /** Of all: a reload may be taken back. */
  reopenLogs(): void {
    for (const { logs } of this.#byNumber.values()) logs.reopen();
  }

  /** Forgets all but the given ones. */
  keep(numbers: ReadonlySet<number>): void {
    for (const [number, { logs }] of this.#byNumber) {
      if (numbers.has(number)) continue;
      this.#byNumber.delete(number);
      logs.close();
    }
  }
}

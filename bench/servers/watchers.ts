/**
 * Those who watch a server by its admin address: a collector of metrics, which asks each second, and the page, which
 * stays open.
 */
import { cleanUp } from "../clean-up.ts";

const scrapeMs = 1000;

export class Watchers implements Disposable {
  readonly #url: string;
  readonly #leave = new AbortController();
  readonly #stop: () => void;
  /** Scrapes that had no answer, and pages that have ended. */
  #failed = 0;

  /** @param url of the admin server, which answers */
  constructor(url: string) {
    this.#url = url;
    const timer = setInterval(() => void this.#see("metrics"), scrapeMs);
    this.#stop = cleanUp(() => {
      clearInterval(timer);
      this.#leave.abort();
    });
    void this.#see("metrics");
    void this.#see("events");
  }

  get failed(): number {
    return this.#failed;
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  async #see(path: "metrics" | "events"): Promise<void> {
    const { signal } = this.#leave;
    try {
      const answer = await fetch(new URL(path, this.#url), { signal });
      await answer.body?.pipeTo(new WritableStream(), { signal });
      if (answer.status !== 200 || path === "events") this.#failed += 1;
    } catch (error) {
      if (signal.aborted) return;
      this.#failed += 1;
      console.error(`bench: ${this.#url}${path}: ${(error as Error).message}`);
    }
  }
}

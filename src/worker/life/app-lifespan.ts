/** The app's startup, before its worker serves, and its shutdown, when the worker has served its last request. */
import { inTime, late } from "../../app/in-time.ts";
import type { Lifespan } from "../../app/lifespan.ts";
import { describeError, type Log } from "../../log/error-log.ts";

/** The time for each of the two, as in Gunicorn. */
const limitMs = 30_000;

/** The worker can't boot: exit code 3. */
export class StartupError extends Error {
  override readonly name = "StartupError";
}

export class AppLifespan {
  readonly #lifespan: Lifespan;
  readonly #log: Log;
  #isUp = false;

  constructor(lifespan: Lifespan, log: Log) {
    this.#lifespan = lifespan;
    this.#log = log;
  }

  /** Throws StartupError, with the reason, when the app's startup fails or takes too long. */
  async start(): Promise<void> {
    const { startup } = this.#lifespan;
    try {
      if (startup !== null && (await inTime(limitMs, call(startup))) === late) {
        throw new StartupError(`it takes more than ${limitMs / 1000} seconds`);
      }
    } catch (error) {
      const reason = error instanceof StartupError ? error.message : describeError(error);
      throw new StartupError(`The app's startup failed: ${reason}`);
    }
    this.#isUp = true;
  }

  /** Never throws: the worker leaves anyway. For an app whose startup hasn't come to its end, nothing happens. */
  async end(leftMs: number): Promise<void> {
    const { shutdown } = this.#lifespan;
    if (!this.#isUp || shutdown === null) return;
    this.#isUp = false;
    try {
      const done = await inTime(Math.min(limitMs, leftMs), call(shutdown));
      if (done === late) this.#log.warning("The app's shutdown takes too long, and is cut");
    } catch (error) {
      this.#log.warning(`Exception in the app's shutdown:\n${describeError(error)}`);
    }
  }
}

async function call(work: () => unknown): Promise<void> {
  await work();
}

/** Tells of ports that the app opens by itself, and leaves out those that hooks open: who has written them knows. */
import type { ListeningSocket } from "../../api/serving.ts";
import type { Log } from "../../log/error-log.ts";

/** The app listens after its import too, and the first request needn't wait (bench: start). */
const laterMs = 1000;

export class PortWatch {
  readonly #listeners: readonly ListeningSocket[];
  readonly #log: Log;
  readonly #known = new Set<string>();

  constructor(listeners: readonly ListeningSocket[], log: Log) {
    this.#listeners = listeners;
    this.#log = log;
  }

  /** Runs a hook. What it opens isn't told. */
  async except(hook: () => Promise<void>): Promise<void> {
    const before = await this.#ports();
    await hook();
    for (const port of await this.#ports()) if (!before.has(port)) this.#known.add(port);
  }

  /** To be called once, when the worker serves. */
  tellSoon(): void {
    setTimeout(() => void this.#tell(), laterMs).unref();
  }

  /** A hint only: where no descriptor is free, nothing can be read or imported. */
  async #tell(): Promise<void> {
    try {
      const { tellOwnPorts } = await import("./own-ports.ts");
      tellOwnPorts(this.#log, this.#listeners, this.#known);
    } catch (error) {
      this.#log.warning(`Can't look for ports that the app has opened: ${String(error)}`);
    }
  }

  /** What a worker doesn't use isn't imported. */
  async #ports(): Promise<ReadonlySet<string>> {
    const { otherPorts } = await import("./own-ports.ts");
    return otherPorts(this.#listeners);
  }
}

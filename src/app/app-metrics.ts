/** The registry of prom-client that an app's module exports as `metrics`: the master shows it beside the server's own. */
import { basename } from "node:path";
import { importModule } from "../modules/import.ts";
import { parseReference } from "../modules/reference.ts";
import { resolveModule } from "../modules/resolve.ts";

interface Registry {
  getMetricsAsJSON(): unknown;
}

export interface AppMetricsHost {
  /** To the master, for each time that it asks; `last`: the worker leaves. False: it has gone. */
  send(families: unknown, last: boolean): boolean;
  /** A sentence about a registry that can't be read. */
  complain(message: string): void;
}

export class AppMetrics {
  readonly #registry: Registry;
  readonly #host: AppMetricsHost;
  readonly #taken = Promise.withResolvers<void>();
  #complained = false;

  private constructor(registry: Registry, host: AppMetricsHost) {
    this.#registry = registry;
    this.#host = host;
  }

  /**
   * Finds the registry in a module that is imported already, by its MODULE:EXPORT.
   * @returns null for an app without
   */
  static async load(text: string, cwd: string, host: AppMetricsHost): Promise<AppMetrics | null> {
    const path = resolveModule(parseReference(text), cwd);
    const exports = await importModule(path);
    const found = Object.hasOwn(exports, "metrics") ? exports["metrics"] : null;
    if (found === null || found === undefined) return null;
    if (isRegistry(found)) return new AppMetrics(found, host);
    host.complain(`${basename(path)}: its metrics are no registry of prom-client, and not shown`);
    return null;
  }

  /** Sends what the app has counted; never throws. */
  async tell(last = false): Promise<boolean> {
    try {
      return this.#host.send(await this.#registry.getMetricsAsJSON(), last);
    } catch (error) {
      // One of its collect() functions, or what can't be sent: the app is served nevertheless.
      if (!this.#complained) this.#host.complain(`The app's metrics can't be read: ${error}`);
      this.#complained = true;
      return this.#host.send(null, last);
    }
  }

  /** The master has the last ones. */
  taken(): void {
    this.#taken.resolve();
  }

  /** Sends the last ones, and waits until the master has them, so long at most. */
  async flush(limitMs: number): Promise<void> {
    if (limitMs <= 0 || !(await this.tell(true))) return;
    await Promise.race([this.#taken.promise, Bun.sleep(limitMs)]);
  }
}

function isRegistry(value: unknown): value is Registry {
  if (typeof value !== "object" || value === null) return false;
  return typeof (value as Record<string, unknown>)["getMetricsAsJSON"] === "function";
}

/**
 * What the apps in the workers say to the master. Most never say anything, and the start doesn't import what hears them. Nothing
 * overtakes what waits for the import.
 */
import { importSoon } from "../../../import-soon.ts";
import type { AppMessage } from "../../../ipc/messages.ts";
import { describeError } from "../../../log/error-log.ts";
import type { AppFamily } from "../../../telemetry/metrics/app-families.ts";
import type { AppParts } from "./app-parts.ts";
import type { RelayHost } from "./relay.ts";

/** How long after an import that has failed it is tried again: the system may have had no descriptor. */
const againMs = 1000;

export class Apps {
  readonly #room = importSoon(() => import("./app-parts.ts"));
  readonly #host: RelayHost;
  #parts: AppParts | null = null;
  #waiting: ((parts: AppParts) => void)[] = [];

  constructor(host: RelayHost) {
    this.#host = host;
  }

  receive(age: number, message: AppMessage): void {
    if (this.#parts !== null) return this.#parts.receive(age, message);
    this.#waiting.push((parts) => parts.receive(age, message));
    if (this.#waiting.length === 1) void this.#import();
  }

  /** A worker has gone. */
  remove(age: number): void {
    if (this.#parts !== null) this.#parts.remove(age);
    else if (this.#waiting.length > 0) this.#waiting.push((parts) => parts.remove(age));
  }

  /** The metrics that apps have themselves; null: there are none. */
  metrics(): Promise<readonly AppFamily[]> | null {
    return this.#parts?.metrics() ?? null;
  }

  async #import(): Promise<void> {
    try {
      const { AppParts } = await this.#room();
      this.#parts = new AppParts(this.#host);
      for (const tell of this.#waiting.splice(0)) tell(this.#parts);
    } catch (error) {
      this.#host.log("error", `Can't hear what apps say: ${describeError(error)}`);
      setTimeout(() => void this.#import(), againMs).unref();
    }
  }
}

/**
 * A part of the master that is imported when a configuration first asks for it. By then the import may fail: the package's files
 * are gone or another version's, or no descriptor is free. That is told, and costs the server nothing else.
 */
import { describeError, type LogLevel } from "../../../log/error-log.ts";

/** Where it says what failed. */
interface PartLog {
  log(level: LogLevel, message: string): void;
}

export class LatePart<T> {
  readonly #open: () => Promise<T>;
  readonly #log: PartLog;
  readonly #name: string;
  #part: Promise<T> | null = null;

  /**
   * @param name for the log: the setting that asks for it
   * @param open imports and makes it
   */
  constructor(name: string, open: () => Promise<T>, log: PartLog) {
    this.#name = name;
    this.#open = open;
    this.#log = log;
  }

  /** Sees to it that it is there. What has failed is tried anew, with the next configuration. */
  want(): void {
    if (this.#part !== null) return;
    this.#part = this.#open();
    this.#part.catch((error: unknown) => {
      this.#part = null;
      const reason = describeError(error);
      this.#log.log("error", `Can't start what ${this.#name} asks for: ${reason}`);
    });
  }

  /** Does something with it, once it is there and in the order of the calls; nothing where it isn't wanted. */
  tell(use: (part: T) => void): void {
    // A failed import has been told; what `use` throws is nobody's.
    void this.#part?.then(use, () => {});
  }
}

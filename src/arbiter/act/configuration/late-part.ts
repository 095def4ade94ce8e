/**
 * A part of the master that is imported when a configuration first asks for it. By then the import may fail: the package's files
 * are gone or another version's, or no descriptor is free. That is told, and costs the server nothing else.
 */
import { describeError } from "../../../log/error-log.ts";

export class LatePart<T> {
  readonly #open: () => Promise<T>;
  readonly #fail: (message: string) => void;
  readonly #name: string;
  #part: Promise<T> | null = null;

  /**
   * @param name for the log: the setting that asks for it
   * @param open imports and makes it
   * @param fail tells the log
   */
  constructor(name: string, open: () => Promise<T>, fail: (message: string) => void) {
    this.#name = name;
    this.#open = open;
    this.#fail = fail;
  }

  /** Sees to it that it is there. What has failed is tried anew, with the next configuration. */
  want(): void {
    if (this.#part !== null) return;
    this.#part = this.#open();
    this.#part.catch((error: unknown) => {
      this.#part = null;
      this.#fail(`Can't start what ${this.#name} asks for: ${describeError(error)}`);
    });
  }

  /** Does something with it, once it is there and in the order of the calls; nothing where it isn't wanted. */
  tell(use: (part: T) => void): void {
    // A failed import has been told; what `use` throws is nobody's.
    void this.#part?.then(use, () => {});
  }
}

/**
 * What two masters of an upgrade have counted, each in an account that only it writes: memory that the old one makes, and the
 * new one inherits. Invariant: accounts say what they count by name, since the two may be of different versions.
 */
import { closeSync, fstatSync, readSync } from "node:fs";
import { mapShared } from "../os/shared-memory.ts";

/** By names; what isn't there is 0. */
export type Counted = Readonly<Record<string, number>>;

/** Another one where a name means something else than it did. */
const version = 1;

const headBytes = 4096;
const accountBytes = 4096;
const mostNames = accountBytes / Float64Array.BYTES_PER_ELEMENT;

/** How much memory both accounts take, with the names ahead of them. */
export const ledgerBytes = headBytes + 2 * accountBytes;

interface Head {
  readonly version: number;
  readonly names: readonly string[];
}

export class Ledger {
  readonly #names: readonly string[];
  readonly #own: Float64Array;
  readonly #other: Float64Array;

  private constructor(memory: ArrayBuffer, names: readonly string[], own: 0 | 1) {
    const account = (index: number) =>
      new Float64Array(memory, headBytes + index * accountBytes, names.length);
    this.#names = names;
    this.#own = account(own);
    this.#other = account(1 - own);
  }

  /**
   * The old master's.
   * @param fd memory of ledgerBytes, all 0; it stays the caller's
   * @throws RangeError for names that there is no room for
   */
  static create(fd: number, names: readonly string[]): Ledger {
    const memory = mapShared(fd, ledgerBytes);
    const text = JSON.stringify({ version, names } satisfies Head);
    if (names.length > mostNames || text.length > headBytes)
      throw new RangeError(`a ledger has no room for ${names.length} names`);
    new Uint8Array(memory).set(Buffer.from(text));
    return new Ledger(memory, names, 0);
  }

  /**
   * The new master's, behind an inherited descriptor, which is closed; null for anything else, which stays open: a
   * master that knows nothing of it hands its number on, and that is somebody else's by then.
   */
  static inherit(fd: number): Ledger | null {
    try {
      const names = readNames(fd);
      if (names === null) return null;
      const memory = mapShared(fd, ledgerBytes);
      closeSync(fd);
      return new Ledger(memory, names, 1);
    } catch (error) {
      if (typeof (error as NodeJS.ErrnoException).code === "string") return null;
      throw error;
    }
  }

  /** What this master has counted so far. */
  write(counted: Counted): void {
    for (const [index, name] of this.#names.entries()) this.#own[index] = counted[name] ?? 0;
  }

  /** What the other one has, as it has written it last. */
  read(): Counted {
    return Object.fromEntries(this.#names.map((name, index) => [name, this.#other[index] ?? 0]));
  }
}

function readNames(fd: number): readonly string[] | null {
  const stat = fstatSync(fd);
  // Of less a map would end the process with SIGBUS.
  if (!stat.isFile() || stat.size < ledgerBytes) return null;
  const bytes = Buffer.alloc(headBytes);
  readSync(fd, bytes, 0, headBytes, 0);
  try {
    const head = JSON.parse(bytes.toString().replace(/\0+$/, "")) as Partial<Head>;
    const { names } = head;
    if (head.version !== version || !Array.isArray(names) || names.length > mostNames) return null;
    return names.every((name) => typeof name === "string") ? names : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

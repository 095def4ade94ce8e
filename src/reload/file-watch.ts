/**
 * Tells, again and again, that files are other ones than before: overwritten, replaced by rename, or meant by a symbolic link
 * that has changed, at whatever part of their paths. What has changed is decided by stamps alone. They are compared when the
 * kernel says that something happened in a folder that decides about the files, and once in a while besides, since a network
 * file system doesn't say so.
 */
import { type FSWatcher, statSync, watch } from "node:fs";
import { foldersOf } from "./folders.ts";
import { stampOfAll } from "./stamp.ts";

export interface FileWatchOptions {
  /** Absolute paths. */
  readonly files: readonly string[];
  /** How they were when they were last read (stampOfAll): what has changed since is told. */
  readonly stamp: string;
  /** Called after each change, when it has been quiet for a moment. */
  onChange(): void;
  /** Called once, when the kernel tells nothing and the stamps have to do. */
  onTrouble(message: string): void;
  /** How often the stamps are compared besides. */
  readonly intervalMs?: number;
}

/** Changes that follow each other are one. */
const quietMs = 200;
/** A folder may never be quiet: others write there too. */
const longestMs = 2000;
const intervalMs = 3_600_000;
const pollMs = 10_000;

interface Watched {
  readonly watcher: FSWatcher;
  /** A folder that is made anew under the same name is another one. */
  readonly identity: string;
}

export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #watched = new Map<string, Watched>();
  #byEvents = true;
  #stamp: string;
  /** The next comparison. */
  #timer: Timer | null = null;
  /** When the first of the events was that the quiet is awaited after. */
  #stirredMs: number | null = null;
  #closed = false;

  /** Nothing that it opens keeps the process alive. */
  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#stamp = options.stamp;
    this.#watchFolders();
    if (stampOfAll(options.files) === options.stamp) this.#wait();
    else this.#stirred();
  }

  /** How the files were at the last change that was told, or as it was given. */
  get stamp(): string {
    return this.#stamp;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer ?? undefined);
    this.#unwatch();
  }

  #look(): void {
    this.#stirredMs = null;
    // First: what happens from now on is an event.
    this.#watchFolders();
    const stamp = stampOfAll(this.#options.files);
    const changed = stamp !== this.#stamp;
    this.#stamp = stamp;
    this.#wait();
    if (changed) this.#options.onChange();
  }

  #wait(ms = this.#byEvents ? (this.#options.intervalMs ?? intervalMs) : pollMs): void {
    if (this.#closed) return;
    clearTimeout(this.#timer ?? undefined);
    this.#timer = setTimeout(() => this.#look(), ms);
    this.#timer.unref();
  }

  #stirred(): void {
    const nowMs = performance.now();
    this.#stirredMs ??= nowMs;
    this.#wait(Math.max(0, Math.min(quietMs, this.#stirredMs + longestMs - nowMs)));
  }

  #watchFolders(): void {
    if (!this.#byEvents) return;
    const wanted = new Map<string, string>();
    for (const file of this.#options.files)
      for (const folder of foldersOf(file)) wanted.set(folder, identityOf(folder));
    for (const [folder, { watcher, identity }] of this.#watched) {
      if (wanted.get(folder) === identity) continue;
      // Before it is watched anew: by the same name Bun would give the old one again.
      watcher.close();
      this.#watched.delete(folder);
    }
    for (const [folder, identity] of wanted) {
      if (this.#byEvents && !this.#watched.has(folder)) this.#watch(folder, identity);
    }
  }

  #watch(folder: string, identity: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#stirred());
      watcher.on("error", (error) => this.#giveUp(error));
      this.#watched.set(folder, { watcher, identity });
    } catch (error) {
      // It went meanwhile: the next look finds what is there instead.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") this.#stirred();
      else this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    if (!this.#byEvents || this.#closed) return;
    this.#byEvents = false;
    this.#unwatch();
    this.#wait();
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.onTrouble(`looked for every ${pollMs / 1000} s only: ${reason}`);
  }

  #unwatch(): void {
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }
}

function identityOf(folder: string): string {
  try {
    const stats = statSync(folder, { throwIfNoEntry: false });
    // The time of its birth: the number of one that is gone is given again.
    return stats === undefined ? "absent" : `${stats.dev} ${stats.ino} ${stats.birthtimeMs}`;
  } catch {
    return "absent";
  }
}

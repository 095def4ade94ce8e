/**
 * Tells once that a file has changed. What has changed is decided by stamps alone, and looked for once a
 * second; the engine `inotify` only makes it look at once when the kernel says that something happened in
 * one of the directories. So a save by rename is a change, and a log file next to the code is none.
 */
import { type FSWatcher, watch } from "node:fs";
import { dirname } from "node:path";
import { expand, homeOf } from "./extra-files.ts";
import { isDirectory, stampOf } from "./stamp.ts";

export type Engine = "auto" | "poll" | "inotify";

export interface WatcherOptions {
  readonly engine: Engine;
  /** The files that are watched now, asked for again and again; one that is new in the list is no change. */
  sources(): Iterable<string>;
  /** Absolute paths, directories or patterns. A file that is new among these is a change. */
  readonly extraFiles: readonly string[];
  /** Called once, with the first file that has changed. */
  onChange(file: string): void;
  /** Called once, when the engine is `auto` or has worked before, and polling has to do. */
  onTrouble(message: string): void;
  readonly intervalMs?: number;
  readonly quietMs?: number;
}

/** Bursts of events are one look. */
const soonMs = 20;
/** Changes that follow each other within `quietMs` are one, for so many rounds. */
const quietRounds = 10;

export class Watcher {
  readonly #options: WatcherOptions;
  readonly #intervalMs: number;
  readonly #quietMs: number;
  readonly #stamps = new Map<string, string>();
  readonly #watches = new Map<string, FSWatcher>();
  #byEvents: boolean;
  #timer: Timer | null = null;
  #soon: Timer | null = null;
  /** Nothing is looked for at once: closed, or a change is found and the quiet after it is awaited. */
  #deaf = false;

  /** Remembers how the files are now. Throws when the engine is `inotify` and a directory can't be watched. */
  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? 1000;
    this.#quietMs = options.quietMs ?? 100;
    this.#byEvents = options.engine !== "poll";
    this.#look(true);
    this.#wait(0);
  }

  close(): void {
    this.#deaf = true;
    clearTimeout(this.#timer ?? undefined);
    clearTimeout(this.#soon ?? undefined);
    for (const each of this.#watches.values()) each.close();
    this.#watches.clear();
  }

  /** The next look: later when one takes long, as with patterns over many files, so that the app isn't held up. */
  #wait(tookMs: number): void {
    this.#timer = setTimeout(() => this.#check(), Math.max(this.#intervalMs, tookMs * 20));
  }

  #check(): void {
    clearTimeout(this.#timer ?? undefined);
    clearTimeout(this.#soon ?? undefined);
    this.#soon = null;
    const startMs = performance.now();
    const changed = this.#look(false);
    if (changed === null) this.#wait(performance.now() - startMs);
    else this.#settle(changed, quietRounds);
  }

  #settle(changed: string, rounds: number): void {
    this.#deaf = true;
    this.#timer = setTimeout(() => {
      if (this.#look(false) !== null && rounds > 1) return this.#settle(changed, rounds - 1);
      this.close();
      this.#options.onChange(changed);
    }, this.#quietMs);
  }

  /** Brings the stamps up to date, and answers the first file whose stamp wasn't. */
  #look(first: boolean): string | null {
    let changed: string | null = null;
    for (const [path, stamp] of this.#stamps) {
      const now = stampOf(path);
      if (now === stamp) continue;
      this.#stamps.set(path, now);
      changed ??= path;
    }
    for (const path of this.#options.sources()) this.#learn(path);
    for (const item of this.#options.extraFiles) {
      this.#watch(homeOf(item));
      for (const path of expand(item)) if (this.#learn(path) && !first) changed ??= path;
    }
    return changed;
  }

  /** Whether the file is new to the list. */
  #learn(path: string): boolean {
    if (this.#stamps.has(path)) return false;
    // Watched before it is stamped: a change in between is one event too many, not one too few.
    this.#watch(dirname(path));
    this.#stamps.set(path, stampOf(path));
    return true;
  }

  #watch(folder: string): void {
    if (!this.#byEvents || this.#watches.has(folder) || !isDirectory(folder)) return;
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookSoon());
      watcher.on("error", (error) => this.#giveUp(error));
      this.#watches.set(folder, watcher);
    } catch (error) {
      if (this.#options.engine === "inotify" && this.#timer === null) throw error;
      this.#giveUp(error);
    }
  }

  #lookSoon(): void {
    if (this.#deaf || this.#soon !== null) return;
    this.#soon = setTimeout(() => this.#check(), soonMs);
  }

  #giveUp(error: unknown): void {
    if (!this.#byEvents) return;
    this.#byEvents = false;
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.onTrouble(`Changes of files are looked for once a second only: ${reason}`);
  }
}

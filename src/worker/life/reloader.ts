/** --reload: watches what the app is made of, and stands in for an app that can't be loaded. */
import { resolve } from "node:path";
import { isA } from "../../api/thrown.ts";
import { brokenApp } from "../../app/broken.ts";
import { AppImportError } from "../../modules/errors.ts";
import type { App } from "../../app/load.ts";
import { parseReference } from "../../modules/reference.ts";
import type { ConfigData } from "../../config/types.ts";
import type { Log } from "../../log/error-log.ts";
import { expand, isPattern } from "../../reload/extra-files.ts";
import { loadedModules, sourcesOf } from "../../reload/modules.ts";
import { isFile } from "../../reload/stamp.ts";
import { Watcher } from "../../reload/watcher.ts";
import { describeFailure } from "./boot-failure.ts";

export interface ReloaderParts {
  readonly config: ConfigData;
  /** MODULE:EXPORT. */
  readonly app: string;
  readonly log: Log;
  onChange(file: string): void;
}

export class Reloader {
  readonly #base: string | null;
  /** Files that the app is made of as far as is known without loading it. */
  readonly #sources: Set<string>;
  readonly #watcher: Watcher;
  readonly #stray = Promise.withResolvers<never>();
  #broken = false;

  /** Watches from before the app is loaded: what changes while it loads may have been read already. */
  constructor({ config, app, log, onChange }: ReloaderParts) {
    log.warning("Reloader is on. Use in development only!");
    for (const item of config.reloadExtraFiles) {
      if (isPattern(item) && expand(item).length === 0) {
        log.warning(`Pattern ${item} currently matches no files.`);
      }
    }
    this.#base = modulePath(app, config.chdir);
    this.#sources = this.#base === null ? new Set() : sourcesOf(this.#base);
    this.#watcher = new Watcher({
      engine: config.reloadEngine,
      sources: () => [...this.#sources, ...loadedModules()],
      extraFiles: config.reloadExtraFiles,
      onChange,
      onTrouble: (message) => log.warning(message),
    });
  }

  /** The app couldn't be loaded, and standIn() answers for it. */
  get broken(): boolean {
    return this.#broken;
  }

  /** What `load` gives, unless an error that nobody catches comes first. */
  guard<Loaded>(load: Promise<Loaded>): Promise<Loaded> {
    return Promise.race([load, this.#stray.promise]);
  }

  /** An error that nobody caught, while the app was being loaded. */
  fail(error: unknown): void {
    this.#stray.reject(error);
  }

  /** An app that shows the error; a change of any file that may mend it is noticed. */
  standIn(error: unknown): App {
    this.#broken = true;
    const text = describeFailure(error);
    if (this.#base !== null) {
      for (const path of sourcesOf(this.#base, { deep: true })) this.#sources.add(path);
    }
    // Files that no import tells of: "Export named 'a' not found in module '/srv/lib.ts'", stacks.
    for (const [path] of text.matchAll(/\/[^\s'"`():]+/g)) {
      if (!isFile(path)) continue;
      for (const file of sourcesOf(path)) this.#sources.add(file);
    }
    return brokenApp(text);
  }

  close(): void {
    this.#watcher.close();
  }
}

function modulePath(app: string, cwd: string): string | null {
  try {
    return resolve(cwd, parseReference(app).module);
  } catch (error) {
    // Loading it will say so.
    if (isA(error, AppImportError)) return null;
    throw error;
  }
}

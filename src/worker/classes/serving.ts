/** What a worker kind is: something that listens, drains and closes. worker_class picks one. */
import type { App } from "../../app/load.ts";
import { type AppFeature, flagFor, workerClassOf } from "../../config/worker-classes.ts";
import { unusedOptions } from "../../app/options.ts";
import { AppImportError } from "../../modules/errors.ts";
import type { ConfigData } from "../../config/types.ts";
import type { InheritedListener } from "../../ipc/messages.ts";
import type { ScoreboardRow } from "../../ipc/scoreboard.ts";
import type { Log } from "../../log/error-log.ts";
import type { RequestObserver } from "../../api/request-record.ts";
import type { Handler } from "../exchange/handler.ts";

export interface Serving {
  /** Starts to accept; throws when it can't. */
  listen(): void;
  /** From now on answers say `Connection: close`; connections are still accepted. */
  windDown(): void;
  /** Serves what the queues hold, stops accepting, and resolves when the last connection has closed. */
  drain(): Promise<void>;
}

export interface ServingContext {
  /** From 0 on; what concerns all workers alike is logged by the first. */
  readonly slot: number;
  readonly app: App;
  readonly config: ConfigData;
  readonly listeners: readonly InheritedListener[];
  /** How many workers there were to be when this one was born. */
  readonly numWorkers: number;
  readonly scores: ScoreboardRow;
  readonly handler: Handler;
  readonly log: Log;
  /** Who wants to know of each request. */
  readonly observers: readonly RequestObserver[];
}

const appFeatures: readonly AppFeature[] = ["routes", "websocket"];

/**
 * Refuses what an app brings for Bun.serve and its worker class can't do, and logs what isn't used.
 * @throws AppImportError
 */
export function checkApp({ app, config, log, slot }: ServingContext): void {
  const takes = workerClassOf(config.workerClass).app;
  for (const feature of appFeatures) {
    const why = app[feature] === null ? null : takes[feature];
    if (why === null) continue;
    throw new AppImportError(`${app.describe}: ${why}, use ${flagFor(feature)}`);
  }
  const unused = unusedOptions(app, config.workerClass);
  if (slot !== 0) return;
  for (const line of unused) log.info(line);
}

/** What a worker kind is: something that listens, drains and closes. worker_class picks one. */
import type { App } from "../../app/load.ts";
import { unusedOptions } from "../../app/options.ts";
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

/** Logs which of the app's options aren't used, and refuses what can't be left out. */
export function tellUnused({ app, config, log, slot }: ServingContext): void {
  const unused = unusedOptions(app, config.workerClass);
  if (slot !== 0) return;
  for (const line of unused) log.info(line);
}

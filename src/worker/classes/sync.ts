/**
 * The class `sync`: one request at a time for each worker, or as many as `threads` says, and each connection ends with
 * its answer, as with Gunicorn's sync workers. Unlike theirs, a client that is slow to send keeps nobody waiting:
 * connections are read side by side, and only the app has one request at a time.
 */
import { flagFor, workerClasses } from "../../config/worker-classes.ts";
import type { Serving } from "../../api/serving.ts";
import { AsyncServing, importRare, type RareParts } from "./async.ts";
import type { InternalContext } from "./serving.ts";

const { websocket: why } = workerClasses.sync.app;
const refusal = `server.upgrade() is not supported by --worker-class sync: ${why}, use ${flagFor("websocket")}`;

export class SyncServing extends AsyncServing {
  static override async create(context: InternalContext): Promise<Serving> {
    const threads = Math.max(1, context.config.threads);
    return new SyncServing(context, await importRare(context, threads), threads);
  }

  private constructor(context: InternalContext, parts: RareParts, threads: number) {
    super(context, parts, {
      threads,
      closes: true,
      refusesWebsockets: refusal,
    });
  }
}

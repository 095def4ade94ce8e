/** What a worker class gets from the worker around it, and what every class does with an app before it serves it. */
import type { Capture } from "../../app/capture.ts";
import type { App } from "../../app/load.ts";
import type { ConfigData } from "../../config/types.ts";
import type { Websockets } from "../../app/websocket/websockets.ts";
import { type AppFeature, flagFor, workerClassOf } from "../../config/worker-classes.ts";
import { unusedOptions } from "../../app/options.ts";
import { AppImportError } from "../../modules/errors.ts";
import type { ScoreboardRow, Siblings } from "../../ipc/scoreboard.ts";
import type { ServingContext } from "../../api/serving.ts";
import type { Shedder } from "../overload/shedder.ts";
import type { Handler } from "../exchange/handler.ts";

/** What the built-in classes get besides: the app itself, and the worker's row of the scoreboard. */
export interface InternalContext extends ServingContext {
  readonly app: App;
  readonly scores: ScoreboardRow;
  /** The rows of the other workers; null if they share no socket with this one. */
  readonly siblings: Siblings | null;
  /** Where the servers are that the app has called Bun.serve for. */
  readonly capture: Capture;
  /** For the app's `websocket`; null without it. */
  readonly websockets: Websockets | null;
  readonly handler: Handler;
  /** Null without shed_latency_ms. */
  readonly shedder: Shedder | null;
}

type ClassOf = Pick<ConfigData, "workerClass">;

const appFeatures: readonly AppFeature[] = ["websocket"];

/** Refuses what an app brings for Bun.serve and its worker class can't do, and logs what isn't used. Throws AppImportError. */
export function checkApp({ app, config, log, slot }: InternalContext): void {
  const unused = refuseApp(app, config);
  if (slot !== 0) return;
  for (const line of unused) log.info(line);
}

/**
 * Also for whoever only wants to know.
 * @returns what isn't used, a line each
 * @throws AppImportError
 */
export function refuseApp(app: App, { workerClass }: ClassOf): readonly string[] {
  const takes = workerClassOf(workerClass).app;
  for (const feature of appFeatures) {
    const why = app[feature] === null ? null : takes[feature];
    if (why === null) continue;
    // Frameworks pass handlers for websockets that nobody has asked for: upgrade() says so when somebody does.
    if (feature === "websocket" && app.captured) continue;
    throw new AppImportError(`${app.describe}: ${why}, use ${flagFor(feature)}`);
  }
  return unusedOptions(app, workerClass);
}

/**
 * With its routes found by its fetch, if the worker class doesn't find them.
 * @throws AppImportError, or a TypeError as Bun.serve's, for routes that the class can't serve
 */
export async function routedApp(app: App, { workerClass }: ClassOf): Promise<App> {
  const mayHaveRoutes = app.routes !== null || app.server !== undefined;
  if (!mayHaveRoutes || workerClassOf(workerClass).hasRouter) return app;
  const { routed } = await import("../../app/routes/routed.ts");
  return routed(app);
}

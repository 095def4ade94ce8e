/** The program behind preload_app: imports app or worker class as a worker would, says how that went, and ends. */
import { listenPrivately } from "../../os/sockets/private-socket.ts";
import { Capture, nativeServe } from "../../app/capture.ts";
import { loadLifespan } from "../../app/lifespan.ts";
import { loadApp } from "../../app/load.ts";
import { workerClassOf } from "../../config/worker-classes.ts";
import { exitCodes } from "../../ipc/exit-codes.ts";
import type { PreloadMessage, PreloadResult } from "../../ipc/messages.ts";
import { describeError } from "../../log/error-log.ts";
import { loadOwnClass } from "../classes/own-class.ts";
import { refuseApp, routedApp } from "../classes/serving.ts";
import { isExpected } from "./boot-failure.ts";
import { assume, identityOf } from "../../os/processes/privileges.ts";

/** The address that apps which listen are told: they open nothing here, and no request comes. */
const loopback = { address: "127.0.0.1", family: "IPv4", port: 8000 } as const;

// The master has gone.
process.on("disconnect", () => process.exit(exitCodes.ok));

process.once("message", async ({ config, app }: PreloadMessage) => {
  const result = await attempt(config, app);
  process.send?.(result, () => process.exit(exitCodes.ok));
});

async function attempt(
  config: PreloadMessage["config"],
  app: string | null,
): Promise<PreloadResult> {
  try {
    const identity = identityOf(config);
    if (identity !== null) assume(identity);
    if (app === null) {
      await loadOwnClass(config);
      return { type: "preloaded" };
    }
    const url = "http://127.0.0.1:8000/";
    const listening = { url, protocol: "http", address: loopback } as const;
    const capture = new Capture({ listening, listenPrivately, log: { info() {}, debug() {} } });
    capture.install();
    const cwd = config.chdir;
    const loaded = await loadApp(app, { cwd, capture, type: config.appType });
    refuseApp(loaded, config);
    const { websocket } = await routedApp(loaded, config);
    if (websocket !== null && takesWebsockets(config)) tryHandlers(websocket);
    // Also where asgi_lifespan wants what isn't there.
    await loadLifespan(app, { cwd, mode: config.asgiLifespan });
    return { type: "preloaded" };
  } catch (error) {
    // The app's own exception needs its stack; a wrong reference is told in one line.
    const message = isExpected(error) ? error.message : describeError(error);
    return { type: "preload failed", message };
  }
}

/** By Bun.serve: what a class of the user's own makes of them is its business. */
function takesWebsockets({ workerClass }: PreloadMessage["config"]): boolean {
  const { code, app } = workerClassOf(workerClass);
  return code !== null && app.websocket === null;
}

/** Throws what Bun.serve throws for wrong ones. */
function tryHandlers(websocket: object): void {
  const handlers = websocket as Bun.WebSocketHandler<unknown>;
  const fetch = () => new Response();
  const { listening } = listenPrivately((unix) =>
    nativeServe({ unix, fetch, websocket: handlers }),
  );
  void listening.stop(true);
}

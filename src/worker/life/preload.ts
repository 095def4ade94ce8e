/** The program behind preload_app: imports app or worker class as a worker would, says how that went, and ends. */
import { listenPrivately } from "../../os/sockets/private-socket.ts";
import { Capture, nativeServe } from "../../app/capture.ts";
import type { Listening } from "../../app/captured-server.ts";
import { loadLifespan } from "../../app/lifespan.ts";
import { loadApp } from "../../app/load.ts";
import { workerClassOf } from "../../config/worker-classes.ts";
import { exitCodes } from "../../ipc/exit-codes.ts";
import type { PreloadMessage, PreloadResult } from "../../ipc/messages.ts";
import { bindAddresses } from "../../net/secure-addresses.ts";
import { assume, identityOf } from "../../os/processes/privileges.ts";
import { listeningAt } from "../classes/listening-at.ts";
import { loadOwnClass } from "../classes/own-class.ts";
import { refuseApp, routedApp } from "../classes/serving.ts";
import { describeFailure } from "./boot-failure.ts";

/** Apps that listen are told of the first address as it is configured: nothing is open here, and no request comes. */
function listeningFor(config: PreloadMessage["config"]): Listening {
  const [first] = bindAddresses(config);
  const secure = first?.secure ?? false;
  if (first?.type === "unix") return listeningAt({ bound: first, secure });
  const { hostname = "127.0.0.1", port = 0 } = first?.type === "tcp" ? first : {};
  return listeningAt({ bound: { type: "tcp", hostname, port: port || unknownPort }, secure });
}

/** Stands for a port that the system chooses, or an inherited socket has. */
const unknownPort = 8000;

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
    const listening = listeningFor(config);
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
    return { type: "preload failed", message: describeFailure(error) };
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

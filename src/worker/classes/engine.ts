/** The engine of a worker, with what it asks of the system. */
import type { ProxyReader } from "../../http/proxy/proxy-protocol.ts";
import { holdBack } from "../../os/sockets/hold-back.ts";
import { receiveInto } from "../../os/sockets/receive.ts";
import { openSendFile } from "../../os/sockets/send-file.ts";
import { peerHasEnded, unreadBytes, unsentBytes } from "../../os/sockets/send-queue.ts";
import { Connections } from "../connection/connections.ts";
import { engineSettings } from "../connection/engine-settings.ts";
import { FileSender } from "../connection/file-sender.ts";
import type { Engine } from "../connection/http1.ts";
import { ReaderPool } from "../connection/reader-pool.ts";
import type { InternalContext } from "./serving.ts";

/** @param Proxies null without proxy_protocol */
export function engineOf(context: InternalContext, Proxies: typeof ProxyReader | null): Engine {
  const { config, scores } = context;
  const { bytes, timeouts } = scores;
  const scriptName = process.env["SCRIPT_NAME"] ?? "";
  const probe = { unsentBytes, peerHasEnded, unreadBytes };
  const settings = engineSettings(config, scriptName, { probe, Proxies });
  // Gunicorn's None: nobody has switched it off.
  const sends = config.sendfile !== false;
  return {
    connections: new Connections(scores),
    settings,
    readers: new ReaderPool(settings),
    scores: { bytes, timeouts },
    files: sends ? new FileSender(openSendFile, () => performance.now()) : null,
    receiveInto,
    holdBack,
  };
}

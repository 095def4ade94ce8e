/**
 * What requests with an Upgrade field become on the engine: websockets of a Bun.serve inside of this process, or
 * whatever the upgrade listeners of the app's node:http server make of them.
 */
import { nativeServe } from "../../app/capture.ts";
import type { AppWebsockets, UpgradeOptions } from "../../app/server.ts";
import { InnerServer } from "../../app/websocket/inner-server.ts";
import type { Websockets } from "../../app/websocket/websockets.ts";
import type { Fetch } from "../../api/serving.ts";
import type { RefusalName } from "../../http/errors.ts";
import { judgeHandshake, offersWebsocket, readOffer } from "../../http/request/handshake.ts";
import { requestOwner } from "../../http/request/request.ts";
import { noAnswer } from "../records/engine-record.ts";
import type { Head } from "../../http/syntax/head.ts";
import type { Log } from "../../api/log.ts";
import { textOf } from "../../log/lines/describe-error.ts";
import type { Connections } from "../connection/connections.ts";
import type { DeadlineTicks } from "../connection/deadlines.ts";
import { Http1 } from "../connection/http1.ts";
import { Tunnel } from "../connection/tunnel.ts";
import type { Wire } from "../connection/wire.ts";
import { Exchange } from "../exchange/exchange.ts";
import type { Upgrades } from "../exchange/upgrades.ts";

export interface UpgradesHost {
  readonly connections: Connections;
  readonly deadlines: DeadlineTicks;
  readonly log: Log;
  readonly websockets: Websockets;
}

/** Where a connection leads that leaves HTTP. */
interface Way {
  /** Of the unix socket. */
  readonly path: string;
  /** What goes there first. */
  readonly first: Buffer;
  /** It has got no further than this, or has been answered. */
  readonly settled: () => void;
}

const unavailable =
  "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

export class EngineUpgrades implements Upgrades, AppWebsockets {
  readonly #host: UpgradesHost;
  readonly #server: InnerServer;

  constructor(host: UpgradesHost, websocket: object) {
    this.#host = host;
    const sockets = host.websockets.serving(websocket);
    this.#server = new InnerServer(nativeServe, sockets.handlers);
    sockets.attach(this.#server.server);
  }

  get pendingWebSockets(): number {
    return this.#host.websockets.pendingWebSockets;
  }

  publish(...args: Parameters<AppWebsockets["publish"]>): number {
    return this.#host.websockets.publish(...args);
  }

  subscriberCount(topic: string): number {
    return this.#host.websockets.subscriberCount(topic);
  }

  refusalOf(head: Head): RefusalName | null {
    return offersWebsocket(head) ? judgeHandshake(head) : null;
  }

  handlerOf(): Fetch | undefined {
    return undefined;
  }

  upgrade(request: Request, { headers, data }: UpgradeOptions): boolean {
    const exchange = requestOwner(request);
    if (!(exchange instanceof Exchange) || !offersWebsocket(exchange.head)) return false;
    // As they are now, and wrong ones throw here.
    const fields = headers === undefined ? undefined : new Headers(headers);
    const remoteAddress = exchange.client.address?.address;
    const accepted = { headers: fields, data, remoteAddress };
    return this.#leave(exchange, () => {
      const { token, bytes } = this.#server.handshake(readOffer(exchange.head), accepted);
      const settled = () => this.#server.forget(token);
      return { path: this.#server.path, first: bytes, settled };
    });
  }

  /** `wayOf` is asked as soon as the connection can leave. */
  #leave(exchange: Exchange, wayOf: () => Way): boolean {
    const reply = exchange.upgrade();
    if (!(reply instanceof Http1)) return false;
    const { connections, deadlines } = this.#host;
    reply.handOver((connection, client, unread, ended) => {
      const { path, first, settled } = wayOf();
      const tunnel = new Tunnel({
        client,
        first: unread.length === 0 ? first : Buffer.concat([first, unread]),
        ended,
        deadlines,
        answered(status) {
          settled();
          exchange.tell(status ?? noAnswer, 0);
        },
      });
      connections.replace(connection, tunnel);
      this.#open(path, tunnel);
    });
    return true;
  }

  #open(path: string, tunnel: Tunnel): void {
    // `allowHalfOpen` is not in bun-types; Bun.connect takes it.
    const options = { unix: path, allowHalfOpen: true, data: tunnel, socket: innerHandlers };
    Bun.connect<Tunnel>(options as never).catch((error: unknown) => {
      this.#host.log.error(`Can't open a connection inside of this worker: ${textOf(error)}`);
      tunnel.refused(unavailable);
    });
  }
}

/** What happens at the inner end of a tunnel. */
const innerHandlers = {
  open: (socket: Bun.Socket<Tunnel>) => socket.data.opened(socket as Bun.Socket<Tunnel> & Wire),
  data: (socket: Bun.Socket<Tunnel>, bytes: Buffer) => socket.data.innerReceive(bytes),
  drain: (socket: Bun.Socket<Tunnel>) => socket.data.innerDrained(),
  end: (socket: Bun.Socket<Tunnel>) => socket.data.innerEnded(),
  close: (socket: Bun.Socket<Tunnel>) => socket.data.innerClosed(),
  error: (socket: Bun.Socket<Tunnel>) => socket.data.innerClosed(),
};

/** Websockets on the engine: a Bun.serve inside of this process makes them of connections that the app has accepted. */
import type { Fetch } from "../../api/serving.ts";
import { nativeServe } from "../../app/capture.ts";
import type { App } from "../../app/load.ts";
import type { AppWebsockets, UpgradeOptions } from "../../app/server.ts";
import { InnerServer } from "../../app/websocket/inner-server.ts";
import type { Websockets } from "../../app/websocket/websockets.ts";
import type { RefusalName } from "../../http/errors.ts";
import { judgeHandshake, offersWebsocket, readOffer } from "../../http/request/handshake.ts";
import { requestOwner, whenAborted } from "../../http/request/request.ts";
import type { Head } from "../../http/syntax/head.ts";
import { listenPrivately } from "../../os/sockets/private-socket.ts";
import { Exchange } from "../exchange/exchange.ts";
import type { Leaving, Upgrades } from "../exchange/upgrades.ts";
import { Reservation } from "./reservation.ts";
import type { Tunnels } from "./tunnels.ts";

const noBytes = Buffer.alloc(0);

export class WebsocketUpgrades implements Upgrades, AppWebsockets {
  readonly #tunnels: Tunnels;
  readonly #websockets: Websockets;
  readonly #server: InnerServer;
  readonly #app: App;
  /** Of requests that the app is being asked about. */
  readonly #reserved = new Map<Leaving, Reservation>();

  /** @param websocket the app's handlers: throws what Bun.serve throws if they are wrong */
  constructor(tunnels: Tunnels, websockets: Websockets, app: App, websocket: object) {
    this.#tunnels = tunnels;
    this.#app = app;
    this.#websockets = websockets;
    const sockets = websockets.serving(websocket, app.server);
    const server = new InnerServer(nativeServe, sockets.handlers, listenPrivately);
    sockets.attach(server.server, (handlers) => server.reload(handlers));
    this.#server = server;
  }

  get pendingWebSockets(): number {
    return this.#websockets.pendingWebSockets;
  }

  publish(...args: Parameters<AppWebsockets["publish"]>): number {
    return this.#websockets.publish(...args);
  }

  subscriberCount(topic: string): number {
    return this.#websockets.subscriberCount(topic);
  }

  refusalOf(head: Head): RefusalName | null {
    return offersWebsocket(head) ? judgeHandshake(head) : null;
  }

  /** The app is asked when the inner server is ready, so that an upgrade is done within upgrade(). */
  handlerOf(exchange: Leaving): Fetch | undefined {
    if (!offersWebsocket(exchange.head)) return undefined;
    return async (request, server) => {
      const reservation = new Reservation(this.#server, readOffer(exchange.head));
      // An app may never answer, and the client leave.
      whenAborted(request, () => this.#drop(exchange, reservation));
      this.#tunnels.open(this.#server.path, reservation);
      const readiness = await reservation.ready;
      if (readiness === "refused") return unavailable();
      if (readiness === "too large") {
        reservation.drop();
        return new Response("Request Header Fields Too Large", { status: 431 });
      }
      if (readiness === "read") this.#reserved.set(exchange, reservation);
      try {
        return await this.#app.fetch(request, server);
      } finally {
        if (this.#reserved.has(exchange)) this.#drop(exchange, reservation);
      }
    };
  }

  upgrade(request: Request, { headers, data }: UpgradeOptions): boolean {
    const exchange = requestOwner(request);
    if (!(exchange instanceof Exchange)) return false;
    const reservation = this.#reserved.get(exchange);
    if (reservation === undefined) return false;
    // Wrong ones throw here.
    const fields = headers === undefined ? undefined : new Headers(headers);
    const remoteAddress = exchange.client.address?.address;
    return this.#tunnels.lead(exchange, () => {
      if (!reservation.accept({ headers: fields, data, remoteAddress })) return null;
      this.#reserved.delete(exchange);
      return {
        first: noBytes,
        begin: (tunnel) => reservation.giveTo(tunnel),
        answered() {},
        lost: () => reservation.drop(),
      };
    });
  }

  #drop(exchange: Leaving, reservation: Reservation): void {
    this.#reserved.delete(exchange);
    reservation.drop();
  }
}

/** The client's own descriptor is free then. */
function unavailable(): Response {
  return new Response("Service Unavailable", { status: 503, headers: { connection: "close" } });
}

/** Websockets on the engine: a Bun.serve inside of this process makes them of connections that the app has accepted. */
import { nativeServe } from "../../app/capture.ts";
import type { AppWebsockets, UpgradeOptions } from "../../app/server.ts";
import { InnerServer } from "../../app/websocket/inner-server.ts";
import type { Websockets } from "../../app/websocket/websockets.ts";
import type { RefusalName } from "../../http/errors.ts";
import { judgeHandshake, offersWebsocket, readOffer } from "../../http/request/handshake.ts";
import { requestOwner } from "../../http/request/request.ts";
import type { Head } from "../../http/syntax/head.ts";
import { Exchange } from "../exchange/exchange.ts";
import type { Upgrades } from "../exchange/upgrades.ts";
import type { Tunnels } from "./tunnels.ts";

export class WebsocketUpgrades implements Upgrades, AppWebsockets {
  readonly #tunnels: Tunnels;
  readonly #websockets: Websockets;
  readonly #server: InnerServer;

  /** @param websocket the app's handlers: throws what Bun.serve throws if they are wrong */
  constructor(tunnels: Tunnels, websockets: Websockets, websocket: object) {
    this.#tunnels = tunnels;
    this.#websockets = websockets;
    const sockets = websockets.serving(websocket);
    this.#server = new InnerServer(nativeServe, sockets.handlers);
    sockets.attach(this.#server.server);
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

  /** It is the app that decides. */
  handlerOf(): undefined {}

  upgrade(request: Request, { headers, data }: UpgradeOptions): boolean {
    const exchange = requestOwner(request);
    if (!(exchange instanceof Exchange) || !offersWebsocket(exchange.head)) return false;
    // As they are now, and wrong ones throw here.
    const fields = headers === undefined ? undefined : new Headers(headers);
    const remoteAddress = exchange.client.address?.address;
    const accepted = { headers: fields, data, remoteAddress };
    const server = this.#server;
    return this.#tunnels.lead(exchange, () => {
      const { token, bytes } = server.handshake(readOffer(exchange.head), accepted);
      return { path: server.path, first: bytes, settled: () => server.forget(token) };
    });
  }
}

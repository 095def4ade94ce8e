/** Connections that leave HTTP for a unix socket of this process. */
import type { Log } from "../../api/log.ts";
import type { Connections } from "../connection/connections.ts";
import type { DeadlineTicks } from "../connection/deadlines.ts";
import { Http1 } from "../connection/http1.ts";
import type { Leaving } from "../exchange/upgrades.ts";
import { noAnswer } from "../records/recorded.ts";
import type { InnerEnd } from "./inner-end.ts";
import { Tunnel } from "./tunnel.ts";
import { InnerConnections } from "./inner-connections.ts";

/** Where a connection goes. */
export interface Way {
  /** What goes there before all that the client sends. */
  readonly first: Buffer;
  /** Gives the inner side to the tunnel. */
  begin(tunnel: Tunnel): void;
  /** The inner side has answered, or never will. */
  answered(): void;
  /** The client has left before. */
  lost(): void;
}

export class Tunnels {
  readonly #connections: Connections;
  readonly #deadlines: DeadlineTicks;
  readonly #inner: InnerConnections;

  constructor(connections: Connections, deadlines: DeadlineTicks, log: Log) {
    this.#connections = connections;
    this.#deadlines = deadlines;
    this.#inner = new InnerConnections(log);
  }

  /**
   * Hands over the connection of a request, which isn't answered then; false if it is too late, or if there is no way.
   * @param wayOf is asked at once if it isn't too late; what it throws leaves the request as it was
   */
  lead(exchange: Leaving, wayOf: () => Way | null): boolean {
    if (!exchange.upgradable) return false;
    const way = wayOf();
    if (way === null) return false;
    const reply = exchange.upgrade();
    if (!(reply instanceof Http1)) {
      // The client has left meanwhile.
      way.lost();
      return true;
    }
    reply.handOver({
      take: (connection, client, unread, ended) => {
        const tunnel = new Tunnel({
          client,
          first: unread.length === 0 ? way.first : Buffer.concat([way.first, unread]),
          ended,
          deadlines: this.#deadlines,
          answered(status) {
            way.answered();
            exchange.tell(status ?? noAnswer, 0);
          },
        });
        this.#connections.replace(connection, tunnel);
        way.begin(tunnel);
      },
      lost: () => way.lost(),
    });
    return true;
  }

  /** Opens the way to a unix socket of this process: `end` is told what becomes of it. */
  open(path: string, end: InnerEnd): void {
    this.#inner.open(path, end);
  }
}

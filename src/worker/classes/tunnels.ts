/** Connections that leave HTTP for a unix socket of this process. */
import type { Log } from "../../api/log.ts";
import { textOf } from "../../log/lines/describe-error.ts";
import type { Connections } from "../connection/connections.ts";
import type { DeadlineTicks } from "../connection/deadlines.ts";
import { Http1 } from "../connection/http1.ts";
import { Tunnel } from "../connection/tunnel.ts";
import type { Wire } from "../connection/wire.ts";
import type { Leaving } from "../exchange/upgrades.ts";
import { noAnswer } from "../records/engine-record.ts";

/** Where a connection goes. */
export interface Way {
  /** Of the unix socket. */
  readonly path: string;
  /** What goes there first. */
  readonly first: Buffer;
  /** There has been an answer, or there won't be one. */
  settled?(): void;
}

/**
 * How many are opened at a time. A unix socket refuses whoever finds its queue full, and Bun's has 512 places: the
 * clients of a worker that has left come back in one instant. Twice as many may stand there, as each that is opened makes
 * room for the next before the queue is looked at.
 */
const maxOpening = 128;

const unavailable =
  "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

export class Tunnels {
  readonly #connections: Connections;
  readonly #deadlines: DeadlineTicks;
  readonly #log: Log;
  #opening = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(connections: Connections, deadlines: DeadlineTicks, log: Log) {
    this.#connections = connections;
    this.#deadlines = deadlines;
    this.#log = log;
  }

  /**
   * Hands over the connection of a request, which isn't answered then; false if it is too late.
   * @param wayOf is asked as soon as the connection can leave, unless its client does before
   */
  lead(exchange: Leaving, wayOf: () => Way): boolean {
    const reply = exchange.upgrade();
    if (!(reply instanceof Http1)) return false;
    reply.handOver((connection, client, unread, ended) => {
      const way = wayOf();
      const tunnel = new Tunnel({
        client,
        first: unread.length === 0 ? way.first : Buffer.concat([way.first, unread]),
        ended,
        deadlines: this.#deadlines,
        answered(status) {
          way.settled?.();
          exchange.tell(status ?? noAnswer, 0);
        },
      });
      this.#connections.replace(connection, tunnel);
      if (this.#opening < maxOpening) void this.#open(way.path, tunnel);
      else this.#waiting.push(() => void this.#open(way.path, tunnel));
    });
    return true;
  }

  async #open(path: string, tunnel: Tunnel): Promise<void> {
    this.#opening += 1;
    // `allowHalfOpen` is not in bun-types; Bun.connect takes it.
    const options = { unix: path, allowHalfOpen: true, data: tunnel, socket: innerHandlers };
    try {
      await Bun.connect<Tunnel>(options as never);
    } catch (error) {
      this.#log.error(`Can't open a connection inside of this worker: ${textOf(error)}`);
      tunnel.refused(unavailable);
    }
    this.#opening -= 1;
    this.#waiting.shift()?.();
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

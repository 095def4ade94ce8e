/** Connections that leave HTTP for a unix socket of this process. */
import type { Log } from "../../api/log.ts";
import { textOf } from "../../log/lines/describe-error.ts";
import type { Connections } from "../connection/connections.ts";
import type { DeadlineTicks } from "../connection/deadlines.ts";
import { Http1 } from "../connection/http1.ts";
import type { InnerEnd } from "../connection/inner-end.ts";
import { Tunnel } from "../connection/tunnel.ts";
import type { Wire } from "../connection/wire.ts";
import type { Leaving } from "../exchange/upgrades.ts";
import { noAnswer } from "../records/engine-record.ts";

/** Where a connection goes. */
export interface Way {
  /** What goes there before all that the client sends. */
  readonly first: Buffer;
  /** Gives the inner side to the tunnel. */
  begin(tunnel: Tunnel): void;
  /** The client has left before. */
  lost(): void;
}

/**
 * How many sockets are opened at a time. A unix socket refuses whoever finds its queue full, and Bun's has 512 places: the
 * clients of a worker that has left come back in one instant. Twice as many may stand there, as each that is opened makes
 * room for the next before the queue is looked at.
 */
const maxOpening = 128;

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
          answered: (status) => exchange.tell(status ?? noAnswer, 0),
        });
        this.#connections.replace(connection, tunnel);
        way.begin(tunnel);
      },
      lost: () => way.lost(),
    });
    return true;
  }

  /** Opens a connection to a unix socket of this process, at once or when others are open. */
  open(path: string, end: InnerEnd): void {
    if (this.#opening < maxOpening) void this.#open(path, end);
    else this.#waiting.push(() => void this.#open(path, end));
  }

  async #open(path: string, end: InnerEnd): Promise<void> {
    this.#opening += 1;
    // `allowHalfOpen` is not in bun-types; Bun.connect takes it.
    const options = { unix: path, allowHalfOpen: true, data: end, socket: innerHandlers };
    try {
      await Bun.connect<InnerEnd>(options as never);
    } catch (error) {
      this.#log.error(`Can't open a connection inside of this worker: ${textOf(error)}`);
      end.refused();
    }
    this.#opening -= 1;
    this.#waiting.shift()?.();
  }
}

type Inner = Bun.Socket<InnerEnd>;

const innerHandlers = {
  open: (socket: Inner) => socket.data.opened(socket as unknown as Wire),
  data: (socket: Inner, bytes: Buffer) => socket.data.innerReceive(bytes),
  drain: (socket: Inner) => socket.data.innerDrained(),
  end: (socket: Inner) => socket.data.innerEnded(),
  close: (socket: Inner) => socket.data.innerClosed(),
  error: (socket: Inner) => socket.data.innerClosed(),
};

/** All websockets of a worker: those of every Bun.serve that it has, and what is published to them. */
import { type GuardHost, guardWebsocket, type Socket } from "./handlers.ts";
import { OpenSockets, spreadMs } from "./open-sockets.ts";
import { type Publication, publicationOf, type PublishChannel } from "./publication.ts";

type Server = Bun.Server<unknown>;
type Publish = (...args: readonly unknown[]) => number;

/** Time for what clients have under way: a process that ends before it has read that resets their sockets. */
const lingerMs = 100;

/** How long clients get to read what was sent to them: most that don't by then have vanished. */
const slowReaderMs = 5000;

export interface WebsocketsHost {
  readonly log: {
    exception(message: string): void;
    warning(message: string): void;
    info(message: string): void;
  };
  /** The setting websocket_max_message_size, in bytes; 0: what the app says. */
  readonly maxMessageBytes: number;
  readonly channel: PublishChannel;
  /** This worker says what concerns all of them. */
  readonly tells: boolean;
}

/** Who knows of handlers that come in the place of the first. */
interface HandlerChanges {
  onWebsocket(take: (websocket: object) => void): void;
}

/** The websockets of one Bun.serve. */
export interface ServedSockets {
  /** What to give to Bun.serve as `websocket`. */
  readonly handlers: Bun.WebSocketHandler<unknown>;
  /**
   * Once Bun.serve has answered: what is published by its sockets, or by its own publish, reaches all workers.
   * @param reload gives it other handlers
   */
  attach(server: Server, reload: (handlers: ServedSockets["handlers"]) => void): void;
}

interface Served {
  readonly sockets: OpenSockets;
  /** Bun's own; null before the server is attached. */
  publish: Publish | null;
  subscriberCount: Server["subscriberCount"] | null;
}

const methods = ["publish", "publishText", "publishBinary"] as const;

export class Websockets {
  readonly #host: WebsocketsHost;
  readonly #served: Served[] = [];
  #isPatched = false;
  /** The drain has begun: a server that comes later closes what it accepts. */
  #isOver = false;

  private constructor(host: WebsocketsHost) {
    this.#host = host;
  }

  /** Resolves when what other workers publish will reach the sockets that open. */
  static async join(host: WebsocketsHost): Promise<Websockets> {
    const websockets = new Websockets(host);
    await host.channel.join((publication) => void websockets.#deliver(null, publication));
    return websockets;
  }

  /**
   * For a Bun.serve that takes upgrades.
   * @param websocket the app's handlers and options
   * @param changes tells of others that come in their place
   */
  serving(websocket: object, changes?: HandlerChanges): ServedSockets {
    const sockets = new OpenSockets();
    if (this.#isOver) void sockets.drain(0, 0);
    const served: Served = { sockets, publish: null, subscriberCount: null };
    this.#served.push(served);
    const { log, maxMessageBytes } = this.#host;
    const host: GuardHost = {
      log,
      maxMessageBytes,
      bounded: (length) => this.#tellBounded(length),
      opened: (socket) => {
        if (!this.#isPatched) this.#patch(socket);
        sockets.add(socket);
      },
      closed: (socket) => sockets.delete(socket),
    };
    return {
      handlers: guardWebsocket(websocket, host),
      attach: (server, reload) => {
        this.#attach(served, server);
        changes?.onWebsocket((other) => reload(guardWebsocket(other, host)));
      },
    };
  }

  /** Open ones, of this worker. */
  get pendingWebSockets(): number {
    return this.#served.reduce((sum, { sockets }) => sum + sockets.size, 0);
  }

  /** Of this worker's sockets. */
  subscriberCount(topic: string): number {
    return this.#served.reduce((sum, served) => sum + (served.subscriberCount?.(topic) ?? 0), 0);
  }

  /** To the subscribers in all workers; answers as Bun's does, for those in this one. */
  publish(...args: Parameters<Server["publish"]>): number {
    return this.#publish(null, args);
  }

  /**
   * Closes all with 1001, those that open later too. Resolves when the last one is closed.
   * @param limitMs how long it may take at most; less than a tenth of a second: all at once, and no longer than that
   */
  async drain(limitMs: number): Promise<void> {
    const count = this.pendingWebSockets;
    const spreadLimitMs = Math.max(limitMs - lingerMs, 0);
    const overMs = spreadMs(count, spreadLimitMs);
    const slowMs = Math.min(slowReaderMs, spreadLimitMs * 0.75);
    this.#isOver = true;
    const cuts = await Promise.all(
      this.#served.map(({ sockets }) => sockets.drain(overMs, Math.max(overMs, slowMs))),
    );
    const cut = cuts.reduce((sum, each) => sum + each, 0);
    if (cut > 0) {
      this.#host.log.warning(`${cut} websockets closed before their clients had read all messages`);
    }
    if (count > 0) await Bun.sleep(lingerMs);
  }

  /** One line, however many addresses and workers there are. */
  #tellBounded(length: number): void {
    const { log, maxMessageBytes, tells } = this.#host;
    if (!tells || this.#served.length > 1) return;
    const what = `websocket.maxPayloadLength ${length} is above websocket_max_message_size`;
    log.info(`${what}: ${maxMessageBytes} counts`);
  }

  #attach(served: Served, server: Server): void {
    served.publish = server.publish.bind(server) as Publish;
    served.subscriberCount = server.subscriberCount.bind(server);
    Object.assign(server, {
      publish: (...args: readonly unknown[]) => this.#publish(served, args),
    });
  }

  /** Throws what Bun's own throws, and then nobody gets anything. */
  #publish(by: Served | null, args: readonly unknown[]): number {
    const [first] = this.#served;
    const asked = by ?? first ?? null;
    const sent = asked?.publish?.(...args) ?? 0;
    const others = this.#forward(asked, args);
    return sent === 0 ? others : sent;
  }

  /** To all but the sockets of `from`, which have it; answers as Bun's publish does. */
  #forward(from: Served | null, [topic, data, compress]: readonly unknown[]): number {
    const { channel } = this.#host;
    const isAlone = this.#served.length === 1 && from !== null;
    if (isAlone && !channel.hasAudience) return 0;
    const publication = publicationOf(topic, data, compress);
    if (channel.hasAudience) channel.publish(publication);
    return isAlone ? 0 : this.#deliver(from, publication);
  }

  #deliver(from: Served | null, { topic, data, compress }: Publication): number {
    let sent = 0;
    for (const served of this.#served) {
      if (served === from || served.publish === null) continue;
      const here = served.publish(topic, data, compress);
      if (sent === 0) sent = here;
    }
    return sent;
  }

  /**
   * The sockets' own methods, for all of this process at once: properties of each would cost memory. All of Bun's
   * sockets have one prototype, those of an app's private servers too.
   */
  #patch(socket: Socket): void {
    this.#isPatched = true;
    const prototype = Object.getPrototypeOf(socket) as Record<string, Publish>;
    for (const name of methods) {
      const native = prototype[name] as Publish;
      const servedOf = (each: Socket) => this.#served.find(({ sockets }) => sockets.has(each));
      const forward = (from: Served, args: readonly unknown[]) => this.#forward(from, args);
      prototype[name] = function (this: Socket, ...args: readonly unknown[]): number {
        const sent = Reflect.apply(native, this, args);
        const from = servedOf(this);
        if (from !== undefined) forward(from, args);
        return sent;
      };
    }
  }
}

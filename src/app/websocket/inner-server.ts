/**
 * A Bun.serve inside of this process, for what the engine doesn't do itself: it makes websockets of connections whose
 * handshakes the engine has read. It reads them as well, and waits: an upgrade is done within the app's call of upgrade()
 * then, as Bun's is. Whoever on this machine reaches its socket gets 403: a handshake is known by a field that is drawn for
 * it, and taken once.
 */

type Server = Bun.Server<unknown>;
type Socket = Bun.ServerWebSocket<unknown>;

/** Calls `serve` with the path of a unix socket. */
type Listen = (serve: (unix: string) => Server) => {
  readonly listening: Server;
  readonly path: string;
};

/** What a handshake says of the websocket; null where it doesn't. */
export interface Offer {
  readonly key: string;
  readonly protocols: string | null;
  readonly extensions: string | null;
}

/** What the app says of a websocket. */
export interface Accepted {
  /** Of the answer. */
  readonly headers: Headers | undefined;
  readonly data: unknown;
  /** Of the client; undefined on a unix socket. */
  readonly remoteAddress: string | undefined;
}

/** A handshake that has been read, and waits. */
export interface Waiting {
  /** Makes a websocket of it, whose `open` is called within. False if that can't be. */
  accept(accepted: Accepted): boolean;
  /** There will be none. */
  decline(): void;
}

export class InnerServer {
  /** Of the unix socket that it listens on. */
  readonly path: string;
  readonly server: Server;
  readonly #announced = new Map<string, (waiting: Waiting) => void>();
  readonly #upgrade: Server["upgrade"];
  /** Of the websocket that is being made. */
  #remoteAddress: string | undefined = undefined;

  /**
   * @param serve Bun's own Bun.serve, which throws for handlers that are wrong
   * @param handlers the option `websocket`
   * @param listen finds a unix socket to listen on, and says by which path it is reached
   */
  constructor(serve: typeof Bun.serve, handlers: Bun.WebSocketHandler<unknown>, listen: Listen) {
    const websocket = this.#named(handlers);
    const fetch = (request: Request) => this.#answer(request);
    const { listening, path } = listen((unix) => serve({ unix, websocket, fetch }));
    this.path = path;
    this.server = listening;
    this.#upgrade = this.server.upgrade.bind(this.server);
  }

  /**
   * The bytes of a handshake. `onRead` is called, once, when they have been sent and read; `forget` the token if they
   * won't be.
   */
  announce(
    { key, protocols, extensions }: Offer,
    onRead: (waiting: Waiting) => void,
  ): { readonly token: string; readonly bytes: Buffer } {
    const token = crypto.randomUUID();
    this.#announced.set(token, onRead);
    const lines = [
      "GET / HTTP/1.1",
      "Host: localhost",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${key}`,
      ...(protocols === null ? [] : [`Sec-WebSocket-Protocol: ${protocols}`]),
      ...(extensions === null ? [] : [`Sec-WebSocket-Extensions: ${extensions}`]),
      `${tokenField}: ${token}`,
    ];
    return { token, bytes: Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1") };
  }

  /** Other handlers, for the websockets that are open too. Throws what Bun's reload() throws. */
  reload(handlers: Bun.WebSocketHandler<unknown>): void {
    // bun-types want fetch or routes; Bun keeps them.
    this.server.reload({ websocket: this.#named(handlers) } as never);
  }

  forget(token: string): void {
    this.#announced.delete(token);
  }

  #answer(request: Request): Response | Promise<Response | undefined> {
    const token = request.headers.get(tokenField) ?? "";
    const onRead = this.#announced.get(token);
    if (onRead === undefined) return refusal(403);
    this.#announced.delete(token);
    // It waits as long as the app does.
    this.server.timeout(request, 0);
    const { promise, resolve } = Promise.withResolvers<Response | undefined>();
    onRead({
      accept: (accepted) => {
        const isUpgraded = this.#accept(request, accepted);
        resolve(isUpgraded ? undefined : refusal(400));
        return isUpgraded;
      },
      decline: () => resolve(refusal(403)),
    });
    return promise;
  }

  #accept(request: Request, { headers, data, remoteAddress }: Accepted): boolean {
    this.#remoteAddress = remoteAddress;
    return this.#upgrade(request, { data, ...(headers && { headers }) });
  }

  /** The handlers, whose sockets have the client's address: their own peer is this process. */
  #named(handlers: Bun.WebSocketHandler<unknown>): Bun.WebSocketHandler<unknown> {
    // Called within upgrade().
    const open = (socket: Socket): void | Promise<void> => {
      const value = this.#remoteAddress;
      Object.defineProperty(socket, "remoteAddress", { value, configurable: true });
      return handlers.open?.(socket);
    };
    return Object.create(handlers, { open: { value: open } }) as Bun.WebSocketHandler<unknown>;
  }
}

const tokenField = "x-upgrade-token";

function refusal(status: number): Response {
  return new Response(null, { status, headers: { connection: "close" } });
}

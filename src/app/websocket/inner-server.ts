/**
 * A Bun.serve inside of this process, for what the engine doesn't do itself: it makes a websocket of a connection whose handshake
 * the engine has read and the app has accepted. Whoever on this machine finds its abstract socket gets 403: an upgrade is known
 * by a field that is drawn for it, and taken once.
 */
type Server = Bun.Server<unknown>;
type Socket = Bun.ServerWebSocket<unknown>;

/** What a handshake says of the websocket; null where it doesn't. */
export interface Offer {
  readonly key: string;
  readonly protocols: string | null;
  readonly extensions: string | null;
}

/** An upgrade that the app has accepted. */
export interface Accepted {
  /** Of the answer. */
  readonly headers: Headers | undefined;
  readonly data: unknown;
  /** Of the client; undefined on a unix socket. */
  readonly remoteAddress: string | undefined;
}

export class InnerServer {
  /** Of the unix socket that it listens on. */
  readonly path = `\0gunicorn-ts-${crypto.randomUUID()}`;
  readonly server: Server;
  readonly #pending = new Map<string, Accepted>();
  readonly #upgrade: Server["upgrade"];
  /** The upgrade that is under way. */
  #accepted: Accepted | null = null;

  /**
   * @param serve Bun's own Bun.serve, which throws for handlers that are wrong
   * @param handlers the option `websocket`
   */
  constructor(serve: typeof Bun.serve, handlers: Bun.WebSocketHandler<unknown>) {
    this.server = serve({
      unix: this.path,
      websocket: this.#named(handlers),
      fetch: (request) => this.#answer(request),
    });
    this.#upgrade = this.server.upgrade.bind(this.server);
  }

  /** The bytes of a handshake that will be accepted, once; `forget` the token if they aren't sent. */
  handshake(offer: Offer, accepted: Accepted): { readonly token: string; readonly bytes: Buffer } {
    const token = crypto.randomUUID();
    this.#pending.set(token, accepted);
    const { key, protocols, extensions } = offer;
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

  forget(token: string): void {
    this.#pending.delete(token);
  }

  #answer(request: Request): Response | undefined {
    const token = request.headers.get(tokenField) ?? "";
    const accepted = this.#pending.get(token);
    if (accepted === undefined) return refusal(403);
    this.#pending.delete(token);
    this.#accepted = accepted;
    const { headers, data } = accepted;
    try {
      const isUpgraded = this.#upgrade(request, { data, ...(headers && { headers }) });
      return isUpgraded ? undefined : refusal(400);
    } finally {
      this.#accepted = null;
    }
  }

  /** The handlers, whose sockets have the client's address: their own peer is this process. */
  #named(handlers: Bun.WebSocketHandler<unknown>): Bun.WebSocketHandler<unknown> {
    // Called within upgrade().
    const open = (socket: Socket): void | Promise<void> => {
      const value = this.#accepted?.remoteAddress;
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

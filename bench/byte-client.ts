/** A client that knows no protocol: it sends the bytes that it is given, and hands over what comes. Tests and loads stand on it. */

/** How the server ended the connection: by FIN, over TLS behind close_notify; by FIN without that, cut; or by a reset. */
export type Ending = "fin" | "cut" | "reset";

/** The host is 127.0.0.1 unless named. */
export type ServerAddress = (
  { readonly hostname?: string; readonly port: number } | { readonly unix: string }
) & {
  /** TLS, with whatever certificate. */
  readonly secure?: boolean;
};

/** What is told of a connection. Nothing is told before it is open. */
export interface Receiver {
  data?(client: ByteClient, bytes: Buffer): void;
  /** The kernel has taken all that had to wait for the server to read. */
  drained?(client: ByteClient): void;
  /** The connection is over for reading, told once; behind close(), reset() too. The error is the kernel's behind a reset. */
  ended?(client: ByteClient, ending: Ending, error: Error | null): void;
  /** Nothing can be sent any more. */
  closed?(client: ByteClient): void;
}

/** A record of TLS 1.3 that is as long as an alert is: what is in it, is sealed. Two bytes of data look alike. */
const alert = { head: Buffer.from([23, 3, 3, 0, 19]), size: 24 } as const;

/** Codes of a handshake that has failed: what came isn't TLS, or nothing came. */
const failures: ReadonlySet<string> = new Set(["EPROTO", "ECONNRESET"]);

export class ByteClient implements Disposable {
  readonly #receiver: Receiver;
  #socket: Bun.Socket<undefined> | null = null;
  /** The last bytes as they came, sealed; null without TLS. */
  #sealed: Buffer | null = null;
  #unsent: Uint8Array[] = [];
  #sentBytes = 0;
  #ending: Ending | null = null;
  #closed = false;

  private constructor(receiver: Receiver) {
    this.#receiver = receiver;
  }

  /**
   * Resolves when the connection is open, over TLS when its handshake is done; rejects with the `code` of connect(2)
   * where nobody listens. It stays open behind the server's FIN, until close(): the client decides itself when it has
   * said all.
   */
  static async connect(to: ServerAddress, receiver: Receiver = {}): Promise<ByteClient> {
    const client = new ByteClient(receiver);
    const { promise: shaken, resolve, reject } = Promise.withResolvers<void>();
    const { secure = false } = to;
    const socket: Bun.SocketHandler<undefined> = {
      data: (_socket, bytes) => receiver.data?.(client, bytes),
      drain: () => {
        if (client.#write()) receiver.drained?.(client);
      },
      end: () => client.#end(client.#wasCut() ? "cut" : "fin", null),
      close: (_socket, error) => {
        if (secure) reject(error ?? new Error("closed within the handshake"));
        client.#closed = true;
        // Behind our own FIN the server's is told by this call only.
        const ending = client.#wasCut() ? "cut" : "fin";
        client.#end(error === undefined ? ending : "reset", error ?? null);
        receiver.closed?.(client);
      },
      error: (_socket, error) => client.#end("reset", error),
    };
    const first: Bun.SocketHandler<undefined> = secure
      ? { data: (_socket, bytes) => client.#see(bytes) }
      : { ...socket, open: (opened) => void (client.#socket = opened) };
    const target =
      "unix" in to ? { unix: to.unix } : { hostname: to.hostname ?? "127.0.0.1", port: to.port };
    const options = { ...target, allowHalfOpen: true, socket: first };
    const opened = await Bun.connect(options as Bun.TCPSocketConnectOptions<undefined>);
    opened.setNoDelay(true);
    if (secure) {
      client.#sealed = Buffer.alloc(0);
      const handshake = (secured: Bun.Socket<undefined>, _done: boolean, error: Error | null) => {
        // What Bun thinks of the certificate comes here too.
        if (failures.has((error as NodeJS.ErrnoException | null)?.code ?? "")) return reject(error);
        client.#socket = secured;
        resolve();
      };
      const tls = { rejectUnauthorized: false };
      opened.upgradeTLS({ data: undefined, tls, socket: { ...socket, handshake } });
      await shaken;
    }
    return client;
  }

  /** How the server ended the connection; null while it is open. */
  get ending(): Ending | null {
    return this.#ending;
  }

  /** Whether nothing can be sent any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes that the kernel has taken. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Bytes that wait for the server to read. */
  get unsentBytes(): number {
    return this.#unsent.reduce((sum, { length }) => sum + length, 0);
  }

  /** Local port, by which the server knows this client. */
  get port(): number {
    return this.#socket?.localPort ?? 0;
  }

  /** Sends text as latin1, behind what still waits. */
  send(data: string | Uint8Array): void {
    this.#unsent.push(typeof data === "string" ? Buffer.from(data, "latin1") : data);
    if (this.#unsent.length === 1) this.#write();
  }

  /** Reads no more: the kernel's buffers fill up, then the server has to wait. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Sends FIN and goes on reading. */
  halfClose(): void {
    this.#socket?.shutdown();
  }

  /** Leaves by a reset. */
  reset(): void {
    this.#socket?.terminate();
  }

  /** Closes like a client that has all it wants: what comes later is answered by a reset of the kernel, over TLS ignored. */
  close(): void {
    // There end() would send close_notify, but FIN only behind the server's.
    if (this.#sealed === null) this.#socket?.end();
    else this.#socket?.shutdown();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Whether nothing waits any more. */
  #write(): boolean {
    for (let next = this.#unsent[0]; next !== undefined; next = this.#unsent[0]) {
      const written = Math.max(0, this.#socket?.write(next) ?? 0);
      this.#sentBytes += written;
      if (written < next.length) {
        this.#unsent[0] = next.subarray(written);
        return false;
      }
      this.#unsent.shift();
    }
    return true;
  }

  #see(bytes: Buffer): void {
    const last = bytes.subarray(-alert.size);
    this.#sealed = Buffer.concat([this.#sealed ?? last, last]).subarray(-alert.size);
  }

  /** Whether no close_notify stands at the end (RFC 8446 §6.1). */
  #wasCut(): boolean {
    return this.#sealed !== null && !this.#sealed.subarray(0, alert.head.length).equals(alert.head);
  }

  #end(ending: Ending, error: Error | null): void {
    // A connection that was never made is told by the promise alone.
    if (this.#ending !== null || this.#socket === null) return;
    this.#ending = ending;
    this.#receiver.ended?.(this, ending, error);
  }
}

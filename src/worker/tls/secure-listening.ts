/** Listening sockets whose connections begin with a TLS handshake, as options of Bun.listen. */
import type { Log } from "../../api/log.ts";
import { textOf } from "../../log/lines/describe-error.ts";
import type { TlsSource } from "../../tls/credentials.ts";
import { Connection } from "../connection/connection.ts";
import type { Connections } from "../connection/connections.ts";
import type { Engine } from "../connection/http1.ts";
import type { SecureWire } from "../connection/secure-wire.ts";
import type { Site } from "../exchange/site.ts";
import { Contexts, type NativeContext, type NativeTls } from "./contexts.ts";
import { Handshake } from "./handshake.ts";

type Owner = Handshake | Connection;

type Socket = Bun.Socket<Owner> & SecureWire;

/** What a listener's handlers do besides those of plain sockets. */
export interface SecureOptions {
  readonly tls: NativeTls;
  readonly socket: {
    open(socket: Socket): void;
    handshake(socket: Socket, success: boolean, error: unknown): void;
    serverName?(listener: unknown, name: string): NativeContext;
  };
}

export class SecureListening {
  readonly #source: TlsSource;
  readonly #connections: Connections;
  readonly #engine: Engine;
  readonly #log: Log;
  #contexts: Contexts;

  /** Throws what OpenSSL finds wrong with what is current. */
  constructor(source: TlsSource, connections: Connections, engine: Engine, log: Log) {
    this.#log = log;
    this.#source = source;
    this.#connections = connections;
    this.#engine = engine;
    this.#contexts = new Contexts(source.current);
  }

  /** For a listener that is to serve with what is current; `accepted` is called for each connection, when it is counted. */
  options(site: Site, accepted: (socket: Socket) => void): SecureOptions {
    const contexts = this.#currentContexts();
    const open = (wire: Socket): void => {
      const handshake = new Handshake({
        wire,
        deadlines: this.#engine.settings.deadlines,
        clientCertificates: contexts.credentials.clientCertificates,
        log: site.log,
        address: wire.remoteAddress ?? "",
        secured: (_, tls) => {
          const connection = new Connection(wire, site, this.#engine, { tls, named: null });
          wire.data = connection as never;
          this.#connections.add(connection);
          this.#connections.remove(handshake);
        },
      });
      wire.data = handshake as never;
      this.#connections.add(handshake);
      accepted(wire);
    };
    const handshake = ({ data }: Socket, success: boolean, error: unknown): void => {
      if (data instanceof Handshake) data.ended(success, error);
    };
    const serverName = (_: unknown, name: string): NativeContext => contexts.for(name);
    const socket = contexts.hasNames ? { open, handshake, serverName } : { open, handshake };
    return { tls: contexts.tls, socket };
  }

  #currentContexts(): Contexts {
    const { current } = this.#source;
    if (this.#contexts.credentials === current) return this.#contexts;
    try {
      this.#contexts = new Contexts(current);
    } catch (error) {
      // The master has read and checked them: what it doesn't see must not end what is served.
      this.#log.error(`Renewed certificates can't be served, the old ones are: ${textOf(error)}`);
    }
    return this.#contexts;
  }
}

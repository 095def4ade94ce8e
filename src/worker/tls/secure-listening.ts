/**
 * Listening sockets whose connections begin with a TLS handshake, as options of Bun.listen. With proxy_protocol they
 * begin with a PROXY header, as proxies send it: the socket is a plain one until it has come.
 */
import type { Log } from "../../api/log.ts";
import type { ClientAddress } from "../../app/server.ts";
import { textOf } from "../../log/lines/describe-error.ts";
import type { TlsSource } from "../../tls/credentials.ts";
import { type Acceptor, type Handlers, type Owner, ownerHandlers } from "../connection/acceptor.ts";
import { Connection } from "../connection/connection.ts";
import type { SecureWire } from "../connection/wire.ts";
import { Contexts, type NativeContext, type NativeTls } from "./contexts.ts";
import { endsAtOnce } from "./closing.ts";
import { Handshake, type HandshakeTerms } from "./handshake.ts";
import { refusePlainHttp } from "./plain-http.ts";
import { ProxyAhead } from "./proxy-ahead.ts";

type SecureSocket = Bun.Socket<Owner> & SecureWire;

/** Not all of them are in bun-types. */
interface SecureHandlers extends Handlers {
  handshake(socket: Bun.Socket<Owner>, success: boolean, error: unknown): void;
  /** Asked when a client asks for a name. */
  serverName?(listener: unknown, name: string): NativeContext;
}

/** What Bun.listen is to be called with besides. */
export interface SecureOptions {
  readonly tls: NativeTls | undefined;
  readonly socket: Handlers;
}

export class SecureListening {
  readonly #source: TlsSource;
  readonly #log: Log;
  #contexts: Contexts;

  /** Throws what OpenSSL finds wrong with what is current. */
  constructor(source: TlsSource, log: Log) {
    this.#source = source;
    this.#log = log;
    this.#contexts = new Contexts(source.current);
  }

  /** For a listener that is to serve with what is current. */
  options(acceptor: Acceptor): SecureOptions {
    const contexts = this.#currentContexts();
    const { settings } = acceptor.engine;
    const handlers = secureHandlers(acceptor, contexts);
    const terms = termsOf(acceptor, contexts);
    if (settings.proxyMode !== "off") return behindProxy(acceptor, contexts, terms, handlers);
    const open = (socket: Bun.Socket<Owner>): void => {
      const wire = socket as SecureSocket;
      beginHandshake(acceptor, terms, wire, null);
      acceptor.accepted(wire);
    };
    return { tls: contexts.tls, socket: { ...handlers, open } };
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

function secureHandlers(acceptor: Acceptor, contexts: Contexts): SecureHandlers {
  const handlers = {
    ...ownerHandlers(acceptor),
    handshake({ data }: Bun.Socket<Owner>, success: boolean, error: unknown): void {
      if (data instanceof Handshake) data.ended(success, error);
    },
  };
  if (!contexts.hasNames) return handlers;
  return { ...handlers, serverName: (_, name) => contexts.for(name) };
}

/** A handshake of this listener's becomes a connection, or ends. */
function termsOf(acceptor: Acceptor, contexts: Contexts): HandshakeTerms {
  const { site, engine, connections } = acceptor;
  const { clientCertificates, ca } = contexts.credentials;
  return {
    deadlines: engine.settings.deadlines,
    clientCertificates,
    hasAuthority: ca !== null,
    log: site.log,
    secured(handshake, tls) {
      const { wire, named } = handshake;
      const connection = new Connection(wire, site, engine, { tls, named });
      wire.data = connection;
      connections.swap(handshake, connection);
      if (connections.draining) connection.drain();
    },
    plainHttp: ({ wire, named }) => refusePlainHttp(acceptor, wire, named),
  };
}

/** `named`: the client, as a PROXY header has it. */
function beginHandshake(
  { connections }: Acceptor,
  terms: HandshakeTerms,
  wire: SecureSocket,
  named: ClientAddress | null,
): void {
  endsAtOnce(wire);
  const handshake = new Handshake(wire, terms, named);
  wire.data = handshake;
  connections.add(handshake);
}

function behindProxy(
  acceptor: Acceptor,
  contexts: Contexts,
  terms: HandshakeTerms,
  handlers: SecureHandlers,
): SecureOptions {
  const { site, engine, connections } = acceptor;
  const secured: SecureHandlers = {
    ...handlers,
    // Within upgradeTLS, before it looks at `initialData`.
    open: (socket) => {
      const { named } = socket.data as ProxyAhead;
      beginHandshake(acceptor, terms, socket as SecureSocket, named);
    },
  };
  const open = (socket: Bun.Socket<Owner>): void => {
    const wire = socket as SecureSocket;
    const ahead = new ProxyAhead(wire, engine.settings, site.unix, site.log, (initialData) => {
      // `isServer` and `initialData` are not in bun-types: what has been read of the handshake already. `ahead` goes on
      // to be told of what comes, sealed as it is.
      const options = {
        isServer: true,
        initialData,
        tls: contexts.tls,
        data: ahead,
        socket: secured,
      };
      wire.upgradeTLS<Owner>(options as never);
      connections.remove(ahead);
    });
    wire.data = ahead;
    connections.add(ahead);
    acceptor.accepted(wire);
  };
  return { tls: undefined, socket: { ...ownerHandlers(acceptor), open } };
}

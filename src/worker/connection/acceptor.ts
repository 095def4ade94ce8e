/** The handlers of a listening socket: each connection becomes HTTP's, and its owner hears what happens. */
import type { Site } from "../exchange/site.ts";
import { Connection } from "./connection.ts";
import type { Connections, LastingMember, Member } from "./connections.ts";
import type { Engine } from "./http1.ts";
import type { Wire, WireOwner } from "./wire.ts";

/** What the connections of one listening socket share. */
export interface Acceptor {
  readonly site: Site;
  readonly engine: Engine;
  readonly connections: Connections;
  /** A connection has come, and is among `connections`. */
  accepted(wire: Pick<Wire, "fd">): void;
  /** One is no more among them. */
  left(): void;
}

/** Whom a socket tells what happens: first an HTTP connection, or a handshake. */
export type Owner = WireOwner & (Member | LastingMember);

export type OwnedSocket = Bun.Socket<Owner> & Wire;

export type Handlers = Bun.SocketHandler<Owner>;

/** For sockets that speak HTTP at once. */
export function plainHandlers(acceptor: Acceptor): Handlers {
  const { site, engine, connections } = acceptor;
  return {
    ...ownerHandlers(acceptor),
    open(socket) {
      const wire = socket as OwnedSocket;
      const connection = new Connection(wire, site, engine);
      socket.data = connection;
      connections.add(connection);
      acceptor.accepted(wire);
    },
  };
}

/** All but `open`: the owner is told. */
export function ownerHandlers({ site, connections, left }: Acceptor): Handlers {
  return {
    data(socket, bytes) {
      socket.data.receive(bytes);
    },
    drain(socket) {
      socket.data.drained();
    },
    end(socket) {
      socket.data.clientEnded();
    },
    close(socket) {
      socket.data.closed();
      connections.remove(socket.data);
      left();
    },
    error(_socket, error) {
      site.log.debug(`Socket error: ${error.message}`);
    },
  };
}

/** The `async` kind: our own HTTP engine on the sockets that the master opened, many requests at a time. */
import { AppImportError } from "../../app/errors.ts";
import { AppServer } from "../../app/server.ts";
import { requestOwner } from "../../http/request.ts";
import { installResponse } from "../../http/response-install.ts";
import type { InheritedListener } from "../../ipc/messages.ts";
import { acceptQueueLength, duplicateFd } from "../../os/socket.ts";
import { Connection } from "../connection.ts";
import { Exchange } from "../exchange.ts";
import { type Entrance, Service, ticksOf } from "../service.ts";
import type { Serving, ServingContext } from "../serving.ts";

/** How long an event loop gets to accept what waits before the queue is looked at again. */
const acceptTurnMs = 5;

type Listener = Bun.TCPSocketListener<Connection>;

export class AsyncServing implements Serving {
  readonly #context: ServingContext;
  readonly #service: Service;
  readonly #entrances: readonly (readonly [InheritedListener, Entrance])[];
  #listeners: Listener[] = [];
  #draining = false;

  constructor(context: ServingContext) {
    refuseUnservable(context);
    this.#context = context;
    this.#service = new Service({ ...context, scriptName: process.env["SCRIPT_NAME"] ?? "" });
    this.#entrances = context.listeners.map((each) => [each, this.#entrance(each)] as const);
  }

  /** Before the app is imported: its Responses have to remember what they were made from. */
  static prepareProcess(this: void): void {
    installResponse();
  }

  listen(): void {
    this.#listeners = this.#entrances.map(([{ fd }, entrance]) => this.#listenOn(fd, entrance));
  }

  async drain(): Promise<void> {
    this.#service.drain();
    await this.#emptyQueues();
    this.#draining = true;
    this.#stopListening();
    await this.#service.emptied();
  }

  #stopListening(): void {
    for (const listener of this.#listeners) listener.stop(false);
    this.#listeners = [];
  }

  /** worker_connections: at the bound nothing is accepted until a client leaves; the queue holds the others. */
  #keepBound(): void {
    const full = this.#service.connections >= this.#service.maxConnections;
    if (full && this.#listeners.length > 0) this.#stopListening();
    else if (!full && this.#listeners.length === 0 && !this.#draining) this.listen();
  }

  /** Accepts what waits. In a reload the successor accepts too; otherwise nothing new arrives any more. */
  async #emptyQueues(): Promise<void> {
    const { listeners } = this.#context;
    do await Bun.sleep(acceptTurnMs);
    while (listeners.some(({ fd }) => (acceptQueueLength(fd) ?? 0) > 0));
  }

  #entrance({ hostname, port, url }: InheritedListener): Entrance {
    const { handler, config } = this.#context;
    const server = new AppServer({
      hostname,
      port,
      url,
      rootPath: config.rootPath,
      pendingRequests: () => handler.inFlight,
      requestIP: (request) => connectionOf(request)?.peer.client ?? null,
      timeout: (request, seconds) => connectionOf(request)?.limitAnswer(ticksOf(seconds)),
    });
    return { service: this.#service, server, host: url.slice(url.indexOf("//") + 2) };
  }

  #listenOn(fd: number, entrance: Entrance): Listener {
    const { service } = entrance;
    const keepBound = () => this.#keepBound();
    // `fd` and `allowHalfOpen` are not in bun-types; Bun.listen takes both.
    const options = {
      // Bun closes what it listens on; the inherited descriptor stays for the next time.
      fd: duplicateFd(fd),
      allowHalfOpen: true,
      socket: {
        open(socket: Bun.Socket<Connection>) {
          const connection = new Connection(socket, entrance);
          socket.data = connection;
          service.add(connection);
          keepBound();
        },
        data(socket: Bun.Socket<Connection>, bytes: Buffer) {
          socket.data.receive(bytes);
        },
        drain(socket: Bun.Socket<Connection>) {
          socket.data.drained();
        },
        end(socket: Bun.Socket<Connection>) {
          socket.data.clientEnded();
        },
        close(socket: Bun.Socket<Connection>) {
          socket.data.closed();
          service.remove(socket.data);
          keepBound();
        },
        error(_socket: Bun.Socket<Connection>, error: Error) {
          service.log.debug(`Socket error: ${error.message}`);
        },
      },
    };
    return Bun.listen<Connection>(options as never);
  }
}

function connectionOf(request: Request): Connection | null {
  const owner = requestOwner(request);
  return owner instanceof Exchange ? (owner.line as Connection) : null;
}

/** What an app brings for Bun.serve and this kind can't do is refused, not ignored. */
function refuseUnservable({ app }: ServingContext): void {
  if (app.routes !== null) {
    throw new AppImportError(
      `${app.describe}: routes are Bun.serve's own, use --worker-class serve`,
    );
  }
  if (app.websocket !== null) {
    throw new AppImportError(
      `${app.describe}: websockets aren't supported yet by --worker-class async, use --worker-class serve`,
    );
  }
}

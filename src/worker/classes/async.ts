/** The class `async`: our own HTTP engine on the sockets that the master opened, many requests at a time. */
import { AppServer, type AppWebsockets, withoutWebsockets } from "../../app/server.ts";
import { installResponse } from "../../http/response/globals/install.ts";
import type { BoundTo, ListeningSocket, Serving } from "../../api/serving.ts";
import { acceptPackets } from "../../os/sockets/listening/hop-limit.ts";
import { hasWaiting } from "../../os/sockets/listening/accept-queue.ts";
import { closeFd, duplicateFd } from "../../os/sockets/socket-options.ts";
import { askedOfServer } from "./asked-of-server.ts";
import { type Acceptor, type Owner, plainHandlers } from "../connection/acceptor.ts";
import type { Engine } from "../connection/http1.ts";
import type { Door, Gate } from "../exchange/gate.ts";
import type { Connections } from "../connection/connections.ts";
import type { Site } from "../exchange/site.ts";
import type { Upgrades } from "../exchange/upgrades.ts";
import type { EngineRecord } from "../records/engine-record.ts";
import { engineOf } from "./engine.ts";
import { authorityOf, listeningAt } from "./listening-at.ts";
import type { InternalContext } from "./serving.ts";
import type { SharedQueue } from "./shared-queue.ts";
import type { ProxyReader } from "../../http/proxy/proxy-protocol.ts";
import type { SecureListening, SecureOptions } from "../tls/secure-listening.ts";

/** How long an event loop gets to accept what waits before the queue is looked at again. */
const acceptTurnMs = 5;

/** How often, then. A turn accepts all that waits: what comes after so many is for whoever else has the socket. */
const acceptTurns = 20;

type Listener = Bun.TCPSocketListener<Owner>;

const noHandlers = 'To enable websocket support, set the "websocket" object in Bun.serve({})';

/** How the engine serves. */
export interface Manner {
  /** How many requests the app has at a time; 0: as many as come. */
  readonly threads: number;
  /** Each answer ends its connection. */
  readonly closes: boolean;
  /** What an app is told that asks for a websocket; null: it gets one. */
  readonly refusesWebsockets: string | null;
}

/** What few workers use, and what isn't used isn't imported (bench: start). */
export interface RareParts {
  /** Null if nobody observes requests. */
  readonly Records: typeof EngineRecord | null;
  /** Null without proxy_protocol. */
  readonly Proxies: typeof ProxyReader | null;
  /** Null if the app has as many requests at a time as come. */
  readonly Gates: typeof Gate | null;
  /** Null if no socket is shared with other workers. */
  readonly Queues: typeof SharedQueue | null;
}

/** @param threads as in Manner */
export async function importRare(
  { config, observers, siblings }: InternalContext,
  threads: number,
): Promise<RareParts> {
  const observed = observers.length > 0;
  const proxied = config.proxyProtocol !== "off";
  return {
    Gates: threads > 0 ? (await import("../exchange/gate.ts")).Gate : null,
    Queues: siblings === null ? null : (await import("./shared-queue.ts")).SharedQueue,
    Records: observed ? (await import("../records/engine-record.ts")).EngineRecord : null,
    Proxies: proxied ? (await import("../../http/proxy/proxy-protocol.ts")).ProxyReader : null,
  };
}

export class AsyncServing implements Serving {
  readonly #context: InternalContext;
  readonly #connections: Connections;
  readonly #engine: Engine;
  readonly #records: EngineRecord | null;
  readonly #gate: Door | null;
  #websockets: AppWebsockets;
  #upgrades: Upgrades | null = null;
  /** Null if all listeners are plain. */
  #secure: SecureListening | null = null;
  /** Each answer ends its connection. */
  readonly #closes: boolean;
  readonly #takesUpgrades: boolean;
  readonly #sites: readonly (readonly [ListeningSocket, Site])[];
  readonly #listeners = new Map<ListeningSocket, Listener>();
  #draining = false;
  /** Null if no socket is shared with other workers. */
  #shared: SharedQueue | null = null;

  static async create(context: InternalContext): Promise<Serving> {
    return new AsyncServing(context, await importRare(context, context.config.threads));
  }

  /** @param manner what another class on the same engine does otherwise */
  protected constructor(
    context: InternalContext,
    { Records, Proxies, Gates, Queues }: RareParts,
    manner: Partial<Manner> = {},
  ) {
    const { threads = context.config.threads, closes = context.config.keepalive === 0 } = manner;
    const { refusesWebsockets = null } = manner;
    this.#takesUpgrades = refusesWebsockets === null;
    this.#websockets = withoutWebsockets(refusesWebsockets ?? noHandlers);
    const bound = Gates === null ? null : new Gates(threads);
    this.#gate = context.shedder?.gate(bound) ?? bound;
    this.#closes = closes;
    this.#context = context;
    this.#engine = engineOf(context, Proxies);
    this.#connections = this.#engine.connections;
    const { scores: own, siblings } = context;
    if (siblings !== null && Queues !== null) {
      const shared = context.listeners.filter((each) => each.shared);
      const waiting = () => shared.some(({ fd }) => hasWaiting(fd));
      const [stop, resume] = [() => this.#stopListening(shared), () => this.#keepBound()];
      this.#shared = new Queues({ own, siblings, waiting, stop, resume });
    }
    this.#records = Records === null ? null : new Records(context.observers);
    this.#sites = context.listeners.map((each) => [each, this.#site(each)] as const);
    const [first] = this.#sites;
    if (first !== undefined) context.capture.attach(first[1].server);
  }

  /** Before the app is imported: its Responses have to remember what they were made from. */
  static prepareProcess(this: void): void {
    installResponse();
  }

  async listen(): Promise<void> {
    if (this.#takesUpgrades) await this.#takeUpgrades();
    await this.#takeSecure();
    this.#connections.start();
    this.#startListening();
  }

  /** Most apps have none: what isn't used isn't imported. */
  async #takeUpgrades(): Promise<void> {
    const { app, log, websockets } = this.#context;
    const { nodeUpgrades, websocket } = app;
    if (nodeUpgrades === null && (websocket === null || websockets === null)) return;
    const { Tunnels } = await import("../upgrades/tunnels.ts");
    const tunnels = new Tunnels(this.#connections, this.#engine.settings.deadlines, log);
    if (nodeUpgrades !== null) {
      const { ListenerUpgrades } = await import("../upgrades/node-upgrades.ts");
      this.#upgrades = new ListenerUpgrades(tunnels, nodeUpgrades);
    } else if (websocket !== null && websockets !== null) {
      const { WebsocketUpgrades } = await import("../upgrades/websocket-upgrades.ts");
      const upgrades = new WebsocketUpgrades(tunnels, websockets, app, websocket);
      this.#upgrades = upgrades;
      this.#websockets = upgrades;
    }
  }

  /** Plain HTTP needs nothing of TLS. */
  async #takeSecure(): Promise<void> {
    const { listeners, tls, log } = this.#context;
    if (!listeners.some(({ secure }) => secure)) return;
    if (tls === null) throw new Error("TLS without certificates");
    const { SecureListening } = await import("../tls/secure-listening.ts");
    this.#secure = new SecureListening(tls, log);
  }

  #startListening(): void {
    const standsBack = this.#shared?.standsBack === true;
    for (const [socket, site] of this.#sites) {
      if (this.#listeners.has(socket) || (standsBack && socket.shared)) continue;
      this.#listeners.set(socket, this.#listenOn(socket, site));
    }
  }

  moves(): boolean {
    return this.#gate?.moves() ?? true;
  }

  /** Who has connected before goes on with what that began with. */
  renewed(): void {
    if (this.#listeners.size === 0) return;
    this.#stopListening();
    this.#startListening();
  }

  windDown(): void {
    this.#connections.drain();
  }

  async drain(): Promise<void> {
    this.#connections.drain();
    await this.#emptyQueues();
    // In the same breath: where nobody else has the sockets, they die here, and what waits is reset.
    this.#draining = true;
    this.#stopListening();
    for (const { fd } of this.#context.listeners) closeFd(fd);
    const limitMs = this.#context.config.gracefulTimeout * 1000;
    await Promise.all([this.#connections.served(), this.#context.websockets?.drain(limitMs)]);
    // What a node listener has upgraded is the app's to end, when it is told to clean up.
    if (this.#context.app.nodeUpgrades === null) await this.close();
  }

  async close(): Promise<void> {
    await this.#connections.emptied();
    this.#connections.stop();
  }

  #stopListening(at: Iterable<ListeningSocket> = [...this.#listeners.keys()]): void {
    for (const socket of at) {
      // In a socket's open() this also ends Bun's accepting.
      this.#listeners.get(socket)?.stop(false);
      this.#listeners.delete(socket);
    }
  }

  /** worker_connections: at the bound nothing is accepted until a client leaves; the queue holds the others. */
  #keepBound(): void {
    const full = this.#connections.size >= this.#engine.settings.maxConnections;
    if (full) this.#stopListening();
    else if (this.#listeners.size < this.#sites.length && !this.#draining) this.#startListening();
  }

  /**
   * Accepts what waits. Then either nothing new arrives any more, or others accept too: the successor in a reload,
   * another master, or whoever systemd starts next.
   */
  async #emptyQueues(): Promise<void> {
    const { listeners } = this.#context;
    for (let turns = 0; turns < acceptTurns;) {
      await Bun.sleep(acceptTurnMs);
      if (!listeners.some(({ fd }) => hasWaiting(fd))) return;
      // At the bound of worker_connections nothing is accepted.
      if (this.#listeners.size === this.#sites.length) turns += 1;
    }
  }

  /** Behind a bound that is reached, or in a drain, nothing is left to leave to others. */
  #shareOut(): void {
    if (this.#connections.draining || this.#listeners.size === 0) return;
    this.#shared?.accepted();
  }

  #site(listener: ListeningSocket): Site {
    const { bound, secure } = listener;
    const { handler, config, log } = this.#context;
    const connections = this.#connections;
    const closes = this.#closes;
    const server = new AppServer({
      ...listeningAt(listener),
      rootPath: config.rootPath,
      slot: this.#context.slot,
      pendingRequests: () => handler.inFlight,
      ...askedOfServer,
      websockets: () => this.#websockets,
    });
    return {
      scheme: secure ? "https" : "http",
      host: authorityOf(bound),
      unix: bound.type === "unix",
      server,
      handler,
      gate: this.#gate,
      upgrades: () => this.#upgrades,
      records: this.#records,
      log,
      closing: () => connections.draining || closes,
    };
  }

  #listenOn({ fd, shared, bound, secure }: ListeningSocket, site: Site): Listener {
    const { scores } = this.#context;
    const sharing = shared && this.#shared !== null;
    const family = familyOf(bound);
    const acceptor: Acceptor = {
      site,
      engine: this.#engine,
      connections: this.#connections,
      accepted: (wire) => {
        scores.accepted += 1;
        // The master may have begun to refuse new connections before the handshake of this one was over.
        if (family !== null) acceptPackets(wire.fd, family);
        this.#keepBound();
        if (sharing) this.#shareOut();
      },
      left: () => this.#keepBound(),
    };
    const handlers = secure ? this.#secureOptions(acceptor) : { socket: plainHandlers(acceptor) };
    // `fd` and `allowHalfOpen` are not in bun-types; Bun.listen takes both.
    const options = {
      // Bun closes what it listens on; the inherited descriptor stays for the next time.
      fd: duplicateFd(fd),
      allowHalfOpen: true,
      ...handlers,
    };
    return Bun.listen<Owner>(options as never);
  }

  /** Never does a secure listener speak plain HTTP. */
  #secureOptions(acceptor: Acceptor): SecureOptions {
    if (this.#secure === null) throw new Error("A secure listener without certificates");
    return this.#secure.options(acceptor);
  }
}

function familyOf(bound: BoundTo): 4 | 6 | null {
  if (bound.type === "unix") return null;
  return bound.hostname.includes(":") ? 6 : 4;
}

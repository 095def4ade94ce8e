/** The engine of an `async` worker without sockets and without a clock: connections on fake wires, ticks by hand. */
import { ProxyReader } from "../../src/http/proxy/proxy-protocol.ts";
import { AppServer, withoutWebsockets } from "../../src/app/server.ts";
import type { App } from "../../src/app/shape.ts";
import type { HookRequest, HookWorker } from "../../src/api/hooks.ts";
import { resolveConfig } from "../../src/config/sources/resolve.ts";
import { configData } from "../../src/config/data.ts";
import type { Config, ConfigData } from "../../src/config/types.ts";
import { installResponse } from "../../src/http/response/globals/install.ts";
import { createRow } from "../../src/ipc/scoreboard.ts";
import { askedOfServer } from "../../src/worker/classes/asked-of-server.ts";
import {
  type Handlers,
  type OwnedSocket,
  plainHandlers,
} from "../../src/worker/connection/acceptor.ts";
import type { Connection } from "../../src/worker/connection/connection.ts";
import type { SocketProbe } from "../../src/worker/connection/deadlines.ts";
import type { Engine } from "../../src/worker/connection/http1.ts";
import { Connections } from "../../src/worker/connection/connections.ts";
import {
  type EngineSettings,
  engineSettings,
  ticksOf,
} from "../../src/worker/connection/engine-settings.ts";
import { type FileCalls, FileSender } from "../../src/worker/connection/file-sender.ts";
import { ReaderPool } from "../../src/worker/connection/reader-pool.ts";
import type { Site } from "../../src/worker/exchange/site.ts";
import { EngineRecord } from "../../src/worker/records/engine-record.ts";
import { Enricher } from "../../src/worker/exchange/enrich-response.ts";
import { type Door, Gate } from "../../src/worker/exchange/gate.ts";
import { Handler, type RequestHooks } from "../../src/worker/exchange/handler.ts";
import type { Upgrades } from "../../src/worker/exchange/upgrades.ts";
import { Tunnels } from "../../src/worker/upgrades/tunnels.ts";
import { FakeWire } from "./fake-wire.ts";

installResponse();

const { config: defaults } = await resolveConfig({
  argv: [],
  env: {},
  cwd: "/",
  generation: 1,
  platform: "linux",
  cpuCount: () => 1,
});

/** Every timeout is its own number of ticks: the seconds that make it are these. */
export const timeouts = {
  headerTimeout: 2,
  bodyTimeout: 3,
  writeTimeout: 4,
  keepalive: 1,
  asgiDisconnectGracePeriod: 1.5,
} as const;

/** What a test changes. */
export interface FakeEngineOptions {
  readonly config?: Partial<ConfigData>;
  readonly error?: App["error"];
  readonly hooks?: RequestHooks;
  readonly scriptName?: string;
  readonly observed?: boolean;
  /** For files of more than 64 KiB; without it they are read. */
  readonly files?: FileCalls;
  /** The clock of what is known of files, in milliseconds. */
  readonly fileClock?: () => number;
  /** In the place of the gate that `threads` makes. */
  readonly door?: Door;
  /** Whether bodies that are gathered are read from the wire itself. */
  readonly receives?: boolean;
  /** Whether a last answer waits for FIN, which the wire notes. */
  readonly holdsBack?: boolean;
  /** Whether its listening socket is a unix socket. */
  readonly unix?: boolean;
  /** What is done about requests with an Upgrade field. */
  readonly upgrades?: (tunnels: Tunnels) => Upgrades;
}

/** What the configuration says to connections. */
export function settingsOf(
  config: Partial<ConfigData>,
  scriptName = "",
  probe: SocketProbe = { unsentBytes: () => -1, peerHasEnded: () => false, unreadBytes: () => -1 },
): EngineSettings {
  const all = { ...configData(defaults), ...timeouts, ...config };
  return engineSettings(all, scriptName, { probe, Proxies: ProxyReader });
}

export type Fetch = (request: Request, server: AppServer) => Response | Promise<Response>;

export class FakeEngine {
  /** Log lines: `warning: text`; of stacks the first line. */
  readonly lines: string[] = [];
  /** What observers were told, one line a request: `GET /a 200 5`. */
  readonly told: string[] = [];
  /** What the app has been asked, and what else a test notes. */
  readonly events: string[] = [];
  /** Requests that the postRequest hook saw, with the status of the app's answer. */
  readonly ended: string[] = [];
  /** In the order of connect(). */
  readonly accepted: Connection[] = [];
  /** How many connections have left. */
  left = 0;
  /** With `threads` in the configuration. */
  readonly gate: Gate | null;
  /** What it counts. */
  readonly scores = createRow();
  readonly readers: ReaderPool;
  readonly #connections: Connections;
  readonly #handlers: Handlers;
  readonly #handler: Handler;
  readonly #wires: FakeWire[] = [];

  constructor(fetch: Fetch = () => new Response("hello"), options: FakeEngineOptions = {}) {
    const { events, lines, told, ended } = this;
    const config: ConfigData = { ...configData(defaults), ...timeouts, ...options.config };
    const log = logTo(lines);
    this.gate = config.threads === 0 ? null : new Gate(config.threads);
    const { scores } = this;
    const app: App = {
      fetch: (request, server) => {
        events.push(`${request.method} ${new URL(request.url).pathname}`);
        return fetch(request, server as AppServer);
      },
      error: options.error ?? null,
      routes: null,
      websocket: null,
      options: null,
      nodeUpgrades: null,
      captured: false,
      describe: "app",
    };
    const worker: HookWorker = {
      pid: 1,
      age: 1,
      slot: 0,
      generation: 1,
      cfg: { ...defaults, ...config } as Config,
      log,
      nr: 0,
    };
    const postRequest = (
      _worker: HookWorker,
      request: HookRequest,
      _environ: object,
      response: Response | null,
    ) => void ended.push(`${request.method} ${request.target} ${response?.status ?? null}`);
    this.#handler = new Handler({
      app,
      worker,
      hooks: { postRequest, ...options.hooks },
      log,
      scores,
      limit: 0,
      enricher: config.enrichResponse ? new Enricher(0) : null,
      onTired: () => {},
    });
    const handler = this.#handler;
    const observer = {
      answered: (record: { method: string; target: string; status: number; bodyBytes: number }) =>
        void told.push(`${record.method} ${record.target} ${record.status} ${record.bodyBytes}`),
    };
    const settings = settingsOf(options.config ?? {}, options.scriptName, {
      unsentBytes: (fd) => this.#wireOf(fd)?.unsent ?? -1,
      peerHasEnded: (fd) => this.#wireOf(fd)?.finSent ?? false,
      unreadBytes: (fd) => this.#wireOf(fd)?.unreadBytes ?? -1,
    });
    const { files: calls, fileClock = () => performance.now() } = options;
    const files = calls === undefined ? null : new FileSender(() => calls, fileClock);
    this.readers = new ReaderPool(settings);
    const receiveInto =
      options.receives === true
        ? (fd: number, into: Uint8Array) => this.#wireOf(fd)?.receiveInto(into) ?? 0
        : null;
    const holdBack = (fd: number, held: boolean) =>
      void this.#wireOf(fd)?.did.push(held ? "hold back" : "let go");
    const connections = new Connections(scores);
    const engine: Engine = {
      connections,
      settings,
      readers: this.readers,
      scores,
      files,
      receiveInto,
      holdBack: options.holdsBack === true ? holdBack : null,
    };
    this.#connections = connections;
    const server = new AppServer({
      url: "http://127.0.0.1:8000",
      protocol: "http",
      address: { address: "127.0.0.1", family: "IPv4", port: 8000 },
      rootPath: "",
      slot: 0,
      pendingRequests: () => handler.inFlight,
      websockets: () => withoutWebsockets("no websockets here"),
      ...askedOfServer,
    });
    const upgrades = options.upgrades?.(new Tunnels(connections, settings.deadlines, log)) ?? null;
    const site: Site = {
      scheme: "http",
      host: "127.0.0.1:8000",
      unix: options.unix === true,
      server,
      handler,
      gate: options.door ?? this.gate,
      upgrades: () => upgrades,
      records: options.observed === false ? null : new EngineRecord([observer]),
      log,
      closing: () => connections.draining || config.keepalive === 0,
    };
    this.#handlers = plainHandlers({
      site,
      engine,
      connections,
      accepted: (wire) => void this.accepted.push((wire as FakeWire).data as Connection),
      left: () => void (this.left += 1),
    });
  }

  get inFlight(): number {
    return this.#handler.inFlight;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Accepts a client. */
  connect(wire = new FakeWire()): FakeWire {
    wire.fd = 7 + this.#wires.length;
    this.#wires.push(wire);
    wire.handlers = this.#handlers;
    void this.#handlers.open?.(wire as unknown as OwnedSocket);
    return wire;
  }

  /** Lets the clock step. */
  tick(count = 1): void {
    for (let step = 0; step < count; step++) this.#connections.tick();
  }

  /** After how many ticks the wire closes or gets something written; null: it doesn't within a hundred. */
  ticksUntil(wire: FakeWire): number | null {
    const { writes } = wire;
    const { length } = wire.did;
    for (let count = 1; count <= 100; count++) {
      this.tick();
      if (wire.closed || wire.writes > writes || wire.did.length > length) return count;
    }
    return null;
  }

  drain(): void {
    this.#connections.drain();
  }

  emptied(): Promise<void> {
    return this.#connections.emptied();
  }

  /** Lets promises settle, streams flow, and wires deliver what reading was paused for. */
  async settle(): Promise<void> {
    for (let turns = 0; turns < 8; turns++) {
      await nextTurn();
      for (const wire of this.#wires) wire.turn();
    }
  }

  #wireOf(fd: number): FakeWire | null {
    return this.#wires.find((wire) => wire.fd === fd) ?? null;
  }
}

/** How many ticks a timeout takes at most. */
export function ticks(seconds: number): number {
  return ticksOf(seconds);
}

function logTo(lines: string[]) {
  const at = (level: string) => (message: string) =>
    void lines.push(`${level}: ${message.split("\n    at ")[0]}`);
  return {
    debug: at("debug"),
    info: at("info"),
    warning: at("warning"),
    error: at("error"),
    exception: at("exception"),
    critical: at("critical"),
  };
}

/** Waits for the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A promise that a test settles, for apps that answer later. */
export function later(): PromiseWithResolvers<Response> {
  return Promise.withResolvers<Response>();
}

/** The statuses of the answers in a text, in order. */
export function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 ([0-9]{3})/g)].map(([, status]) => Number(status));
}

/** The bodies of answers that state their lengths, in order; of one that says so nothing. */
export function bodies(text: string): string[] {
  const found: string[] = [];
  for (let rest = text; rest !== "";) {
    const end = rest.indexOf("\r\n\r\n") + 4;
    if (end === 3) break;
    const length = Number(/content-length: ([0-9]+)/i.exec(rest.slice(0, end))?.[1] ?? 0);
    found.push(rest.slice(end, end + length));
    rest = rest.slice(end + length);
  }
  return found;
}

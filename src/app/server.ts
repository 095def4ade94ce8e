/** The server object that apps are given. */
import type { Trace } from "../api/trace.ts";
import type { HeaderFields, PeerCertificate, WorkerServer } from "../api/worker-server.ts";

/** What AppServer needs to know of the worker around it. */
export interface AppServerHost {
  /** `http://127.0.0.1:8000`, `unix:///run/app.sock`. */
  readonly url: string;
  /** Of requests, unless a trusted proxy says another one. */
  readonly protocol: "http" | "https";
  /** What the server listens on; a string is the path of a unix socket. */
  readonly address: ClientAddress | string;
  /** The setting root_path. */
  readonly rootPath: string;
  /** The worker's place, from 0 on. */
  readonly slot: number;
  /** Requests in flight. */
  pendingRequests(): number;
  requestIP(request: Request): ClientAddress | null;
  timeout(request: Request, seconds: number): void;
  earlyHints(request: Request, headers: HeaderFields): boolean;
  peerCertificate(request: Request): PeerCertificate | null;
  trace(request: Request): Trace | null;
  websockets(): AppWebsockets;
}

/** What Bun's server.upgrade takes. */
export interface UpgradeOptions {
  readonly headers?: Bun.HeadersInit | undefined;
  readonly data?: unknown;
}

/** What a server does about websockets, as Bun's Server does it. */
export interface AppWebsockets {
  /** Open ones. */
  readonly pendingWebSockets: number;
  /** Throws where there are no handlers for websockets. */
  upgrade(request: Request, options: UpgradeOptions): boolean;
  publish(...args: Parameters<Bun.Server<unknown>["publish"]>): number;
  subscriberCount(topic: string): number;
}

/** Of a server that has no websockets; `why` is what upgrade() throws. */
export function withoutWebsockets(why: string): AppWebsockets {
  return {
    pendingWebSockets: 0,
    upgrade(request) {
      const offered = request.headers.get("upgrade")?.toLowerCase().split(",") ?? [];
      // Apps call it for every request.
      if (!offered.some((name) => name.trim() === "websocket")) return false;
      throw new Error(why);
    },
    publish: () => 0,
    subscriberCount: () => 0,
  };
}

/** A client's address, as Bun's Server.requestIP answers it. */
export interface ClientAddress {
  readonly address: string;
  readonly family: "IPv4" | "IPv6";
  readonly port: number;
}

/**
 * The second argument of an app's fetch: Bun's Server, as far as it makes sense in a worker that listens on sockets of
 * its master.
 */
export class AppServer implements WorkerServer {
  readonly #host: AppServerHost;

  constructor(host: AppServerHost) {
    this.#host = host;
  }

  get hostname(): string | undefined {
    const { address } = this.#host;
    return typeof address === "string" ? undefined : address.address;
  }

  get port(): number | undefined {
    const { address } = this.#host;
    return typeof address === "string" ? undefined : address.port;
  }

  get url(): URL {
    return new URL(this.#host.url);
  }

  get address(): ClientAddress | string {
    return this.#host.address;
  }

  get protocol(): "http" | "https" {
    return this.#host.protocol;
  }

  get development(): boolean {
    return false;
  }

  get id(): string {
    return "";
  }

  /** Where the app is mounted: the setting root_path. Bun's Server has no such property. */
  get rootPath(): string {
    return this.#host.rootPath;
  }

  /** Which of the workers this is, from 0 on; a successor has the same. Bun's Server has no such property. */
  get slot(): number {
    return this.#host.slot;
  }

  get pendingRequests(): number {
    return this.#host.pendingRequests();
  }

  get pendingWebSockets(): number {
    return this.#host.websockets().pendingWebSockets;
  }

  requestIP(request: Request): ClientAddress | null {
    return this.#host.requestIP(request);
  }

  timeout(request: Request, seconds: number): void {
    this.#host.timeout(request, seconds);
  }

  /** Sends 103 Early Hints: see WorkerServer. Bun's Server has no such method. */
  earlyHints(request: Request, headers: HeaderFields): boolean {
    return this.#host.earlyHints(request, headers);
  }

  /** The verified certificate of a request's client: see WorkerServer. Bun's Server has no such method. */
  trace(request: Request): Trace | null {
    return this.#host.trace(request);
  }

  peerCertificate(request: Request): PeerCertificate | null {
    return this.#host.peerCertificate(request);
  }

  /**
   * Makes a websocket of the request's connection, for the app's handlers; what fetch returns is of no account then.
   * @returns false for a request that asks for none, or that has an answer
   */
  upgrade(request: Request, options: UpgradeOptions = {}): boolean {
    return this.#host.websockets().upgrade(request, options);
  }

  subscriberCount(topic: string): number {
    return this.#host.websockets().subscriberCount(topic);
  }

  publish(...args: Parameters<AppWebsockets["publish"]>): number {
    return this.#host.websockets().publish(...args);
  }

  reload(): never {
    throw new Error("server.reload() is not supported: send the master the signal HUP");
  }

  fetch(): never {
    throw new Error("server.fetch() is not supported: call the app's own fetch");
  }

  stop(): never {
    throw new Error(
      "server.stop() is not supported: the master stops its workers, send it the signal TERM",
    );
  }

  /** Does nothing: the worker lives as long as its master wants. */
  ref(): void {}

  unref(): never {
    throw new Error("server.unref() is not supported: the master decides how long a worker lives");
  }

  closeIdleConnections(): never {
    throw new Error("server.closeIdleConnections() is not supported: see the setting keepalive");
  }
}

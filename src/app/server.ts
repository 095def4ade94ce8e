import type { HeaderFields, WorkerServer } from "../api/worker-server.ts";
import { flagFor } from "../config/worker-classes.ts";

/** What AppServer needs to know of the worker around it. */
export interface AppServerHost {
  /** `http://127.0.0.1:8000`, `unix:///run/app.sock`. */
  readonly url: string;
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

  get protocol(): "http" {
    return "http";
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
    return 0;
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

  /** Answers false for a request that asks for no websocket, as Bun's: apps call it for every request. */
  upgrade(request: Request): boolean {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return false;
    throw servedElsewhere("upgrade");
  }

  subscriberCount(): number {
    return 0;
  }

  publish(): never {
    throw servedElsewhere("publish");
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

function servedElsewhere(method: string): Error {
  const why = `websockets need ${flagFor("websocket")}`;
  return new Error(`server.${method}() is not supported yet by this worker class: ${why}`);
}

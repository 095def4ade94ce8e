/**
 * What an app gets of the Bun.serve that it calls: a server that listens, for all it can tell, on the first address of
 * this one.
 */
import type { PeerCertificate } from "../api/worker-server.ts";
import type { AppServer, ClientAddress } from "./server.ts";
import { ownFetch, ownObject } from "./properties.ts";

type Options = Readonly<Record<string, unknown>>;

/** The server that the app's requests really come to; Bun's own in worker class serve. */
export type ServedBy = Pick<
  AppServer,
  | "pendingRequests"
  | "pendingWebSockets"
  | "requestIP"
  | "timeout"
  | "earlyHints"
  | "peerCertificate"
  | "upgrade"
  | "publish"
  | "subscriberCount"
>;

/** Where this server listens. */
export interface Listening {
  /** `http://127.0.0.1:8000/`. */
  readonly url: string;
  /** Of a unix socket its URL doesn't say it. */
  readonly protocol: "http" | "https";
  /** A string is the path of a unix socket. */
  readonly address: ClientAddress | string;
}

export class CapturedServer {
  readonly #listening: Listening;
  readonly #onStop: () => void;
  #options: Options;
  #server: ServedBy | null = null;
  /** Those that have taken its websocket handlers. */
  readonly #websocketTakers: ((websocket: object) => void)[] = [];

  /**
   * @param options what Bun.serve was called with
   * @param onStop the app wants to stop it, which is the master's business
   */
  constructor(options: Options, listening: Listening, onStop: () => void) {
    this.#options = options;
    this.#listening = listening;
    this.#onStop = onStop;
  }

  /** The options as they are by now: reload() changes them. */
  get options(): Options {
    return this.#options;
  }

  /** From now on requests come, to `server`. */
  attach(server: ServedBy): void {
    this.#server = server;
  }

  /** `take` is given the handlers that come in the place of those in the options, and throws what Bun's reload() throws. */
  onWebsocket(take: (websocket: object) => void): void {
    this.#websocketTakers.push(take);
  }

  get hostname(): string | undefined {
    const { address } = this.#listening;
    return typeof address === "string" ? undefined : address.address;
  }

  get port(): number | undefined {
    const { address } = this.#listening;
    return typeof address === "string" ? undefined : address.port;
  }

  get url(): URL {
    return new URL(this.#listening.url);
  }

  get address(): ClientAddress | string {
    return this.#listening.address;
  }

  get protocol(): "http" | "https" {
    return this.#listening.protocol;
  }

  get development(): boolean {
    return this.#options["development"] === true;
  }

  get id(): string {
    const { id } = this.#options;
    return typeof id === "string" ? id : "";
  }

  get pendingRequests(): number {
    return this.#server?.pendingRequests ?? 0;
  }

  get pendingWebSockets(): number {
    return this.#server?.pendingWebSockets ?? 0;
  }

  requestIP(request: Request): ClientAddress | null {
    return this.#server?.requestIP(request) ?? null;
  }

  timeout(request: Request, seconds: number): void {
    this.#server?.timeout(request, seconds);
  }

  earlyHints(...args: Parameters<AppServer["earlyHints"]>): boolean {
    return this.#server?.earlyHints(...args) ?? false;
  }

  peerCertificate(request: Request): PeerCertificate | null {
    return this.#server?.peerCertificate(request) ?? null;
  }

  upgrade(...args: Parameters<AppServer["upgrade"]>): boolean {
    return this.#server?.upgrade(...args) ?? false;
  }

  publish(...args: Parameters<AppServer["publish"]>): unknown {
    return this.#server?.publish(...args) ?? 0;
  }

  subscriberCount(...args: Parameters<AppServer["subscriberCount"]>): number {
    return this.#server?.subscriberCount(...args) ?? 0;
  }

  /** Takes other handlers from the next request on, as Bun's. What only a new socket could take stays as it was. */
  reload(options: Options): this {
    const given = checkedOptions(options);
    const websocket = ownObject(given, "websocket");
    if (websocket !== null) this.#takeWebsocket(websocket);
    this.#options = { ...this.#options, ...given };
    return this;
  }

  /** Throws an Error where the worker has made no room for websockets: it has done so when the app is loaded, or never. */
  #takeWebsocket(websocket: object): void {
    if (this.#server !== null && ownObject(this.#options, "websocket") === null) {
      throw new Error("server.reload() can't add websocket handlers: call Bun.serve with some");
    }
    for (const take of this.#websocketTakers) take(websocket);
  }

  /** Answers a request without a socket, as Bun's, by the app's own fetch. */
  async fetch(request: Request | URL | string): Promise<Response> {
    const asked =
      request instanceof Request ? request : new Request(new URL(String(request), this.url).href);
    const fetch = ownFetch(this.#options);
    if (fetch === null) return new Response(null, { status: 404 });
    return fetch(asked, this);
  }

  /** Stops nothing: apps call it at a signal, when the worker leaves anyway. */
  stop(): Promise<void> {
    this.#onStop();
    return Promise.resolve();
  }

  closeIdleConnections(): void {}
  ref(): void {}
  unref(): void {}

  [Symbol.dispose](): void {
    this.#onStop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Throws a TypeError for what Bun.serve itself refuses. */
export function checkedOptions(options: unknown): Options {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("Bun.serve expects an object");
  }
  const given = options as Options;
  if (ownFetch(given) === null && ownObject(given, "routes") === null) {
    throw new TypeError("Bun.serve() needs either a routes object or a fetch handler");
  }
  return given;
}

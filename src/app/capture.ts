/**
 * Bun.serve, and by it node:http, in a worker. An app that calls it was made to be run alone: here it opens no port, and what
 * it would have served there is served on this server's addresses. Installed before the app is imported, for the life of the
 * process.
 */
import {
  CapturedServer,
  checkedOptions,
  type Listening,
  type ServedBy,
} from "./captured-server.ts";
import { inTime, late } from "./in-time.ts";
import type { OnNodeRequest } from "./node/dispatch.ts";
import { isNodeServer, type ListenPrivately, serveInside } from "./node/servers.ts";

/** Bun's own, for worker classes that stand on it. */
export const nativeServe = Bun.serve;

/** A server of the app's: its options for Bun.serve, or what Bun's node:http has given Bun.serve. */
export type Captured =
  | { readonly type: "serve"; readonly server: CapturedServer }
  | {
      readonly type: "node";
      /** Of the unix socket that it listens on inside of this process. */
      readonly path: string;
      readonly server: object;
      readonly onRequest: OnNodeRequest;
      readonly hasTls: boolean;
      /** Where it would listen, by the names that Bun.serve has for it. */
      readonly place: Options;
    };

export interface CaptureHost {
  readonly listening: Listening;
  readonly listenPrivately: ListenPrivately;
  readonly log: { info(message: string): void; debug(message: string): void };
}

type Options = Readonly<Record<string, unknown>>;

export class Capture {
  readonly #host: CaptureHost;
  readonly #first = Promise.withResolvers<Captured>();
  #captured: Captured | null = null;
  /** What it was opened with. */
  #options: Options = {};
  #servedBy: ServedBy | null = null;
  /** The app is an export: what it calls Bun.serve for is something else, or the same once more. */
  #isExported = false;

  constructor(host: CaptureHost) {
    this.#host = host;
  }

  /** From now on Bun.serve is ours, also for those who import `serve` from "bun" later. */
  install(): void {
    const serve: unknown = (options: unknown) => this.#serve(options);
    // It can be assigned, and not be defined anew.
    Bun.serve = serve as typeof Bun.serve;
  }

  /** What the app has begun to listen with, the first time; null if it hasn't. */
  get captured(): Captured | null {
    return this.#captured;
  }

  /** Waits for the same, of an app that takes its time; null when it hasn't come after so long. */
  async wait(limitMs: number): Promise<Captured | null> {
    const captured = await inTime(limitMs, this.#first.promise);
    return captured === late ? null : captured;
  }

  /** The app is found, and isn't what Bun.serve was called for. */
  leaveAside(): void {
    this.#isExported = true;
    if (this.#captured !== null) this.#tellUnopened(this.#options);
  }

  /** Requests come from now on, to `server`. */
  attach(server: ServedBy): void {
    this.#servedBy = server;
    if (this.#captured?.type === "serve") this.#captured.server.attach(server);
  }

  #serve(given: unknown): unknown {
    if (typeof given === "object" && given !== null && isNodeServer(given as Options)) {
      return this.#serveNode(given as Options);
    }
    const options = checkedOptions(given);
    // A port that the system chooses, or a file of its own: somebody inside of the app talks to it.
    const isPrivate = options["port"] === 0 || typeof options["unix"] === "string";
    if (isPrivate && (this.#captured !== null || this.#isExported))
      return nativeServe(options as never);
    const { listening, log } = this.#host;
    const server = new CapturedServer(options, listening, () =>
      log.debug("The app stops its server: the master decides when a worker leaves"),
    );
    if (this.#servedBy !== null) server.attach(this.#servedBy);
    this.#take({ type: "serve", server }, options);
    return server;
  }

  /** Of node:http. On a port that the system chooses somebody inside of the app talks to it. */
  #serveNode(options: Options): unknown {
    if (options["port"] === 0 && typeof options["unix"] !== "string") {
      return nativeServe(options as never);
    }
    const { server, path, onRequest } = serveInside(
      nativeServe,
      options,
      this.#host.listening,
      this.#host.listenPrivately,
    );
    const hasTls = (options["tls"] ?? false) !== false;
    const { port, hostname, unix } = options;
    const place = { port, hostname, unix };
    this.#take({ type: "node", path, server, onRequest, hasTls, place }, options);
    return server;
  }

  #take(captured: Captured, options: Options): void {
    if (this.#captured !== null || this.#isExported) this.#tellUnopened(options);
    if (this.#captured !== null) return;
    this.#captured = captured;
    this.#options = options;
    this.#first.resolve(captured);
  }

  #tellUnopened(options: Options): void {
    const why = this.#isExported ? "the app that it exports is served" : "the first is served";
    this.#host.log.info(`The app's own server for ${placeOf(options)} isn't opened: ${why}`);
  }
}

function placeOf({ hostname, port }: Options): string {
  const place = `port ${typeof port === "number" || typeof port === "string" ? port : 3000}`;
  return typeof hostname === "string" ? `${hostname}, ${place}` : place;
}

/**
 * Bun.serve in a worker. An app that calls it was made to be run alone: here it opens no port, and what it would have
 * served there is served on this server's addresses. Installed before the app is imported, for the life of the process.
 */
import {
  CapturedServer,
  checkedOptions,
  type Listening,
  type ServedBy,
} from "./captured-server.ts";

/** Bun's own, for worker classes that stand on it. */
export const nativeServe = Bun.serve;

export interface CaptureHost {
  readonly listening: Listening;
  readonly log: { info(message: string): void; debug(message: string): void };
}

const stopped = "The app stops its server: the master decides when a worker leaves";

type Options = Readonly<Record<string, unknown>>;

export class Capture {
  readonly #host: CaptureHost;
  readonly #first = Promise.withResolvers<CapturedServer>();
  #server: CapturedServer | null = null;
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

  /** What the app has called Bun.serve for, the first time; null if it hasn't. */
  get server(): CapturedServer | null {
    return this.#server;
  }

  /** Waits for the same, of an app that takes its time; null when it hasn't come after so long. */
  async wait(limitMs: number): Promise<CapturedServer | null> {
    const { promise: late, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(resolve, limitMs, null);
    const server = await Promise.race([this.#first.promise, late]);
    clearTimeout(timer);
    return server;
  }

  /** The app is found, and isn't what Bun.serve was called for. */
  leaveAside(): void {
    this.#isExported = true;
    if (this.#server !== null) this.#tellUnopened(this.#server.options);
  }

  /** Requests come from now on, to `server`. */
  attach(server: ServedBy): void {
    this.#servedBy = server;
    this.#server?.attach(server);
  }

  #serve(given: unknown): unknown {
    // Bun's node:http listens by it too; such servers open ports of their own, and own-ports.ts tells.
    if (isNodeServer(given)) return nativeServe(given as never);
    const options = checkedOptions(given);
    // A port that the system chooses, or a file of its own: somebody inside of the app talks to it.
    const isPrivate = options["port"] === 0 || typeof options["unix"] === "string";
    if (isPrivate && (this.#server !== null || this.#isExported))
      return nativeServe(options as never);
    const server = new CapturedServer(options, this.#host.listening, () =>
      this.#host.log.debug(stopped),
    );
    if (this.#servedBy !== null) server.attach(this.#servedBy);
    if (this.#server !== null || this.#isExported) this.#tellUnopened(options);
    if (this.#server !== null) return server;
    this.#server = server;
    this.#first.resolve(server);
    return server;
  }

  #tellUnopened(options: Options): void {
    const why = this.#isExported ? "the app that it exports is served" : "the first is served";
    this.#host.log.info(`Bun.serve of the app for ${placeOf(options)} isn't opened: ${why}`);
  }
}

function isNodeServer(options: unknown): boolean {
  return typeof options === "object" && options !== null && "onNodeHTTPRequest" in options;
}

function placeOf({ hostname, port }: Options): string {
  const place = `port ${typeof port === "number" || typeof port === "string" ? port : 3000}`;
  return typeof hostname === "string" ? `${hostname}, ${place}` : place;
}

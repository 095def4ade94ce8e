/**
 * A node:http server of this process, asked over its unix socket: connections to it, kept for a moment between requests. What is
 * asked and answered are fetch's Requests and Responses.
 */
import { type Asked, UpstreamConnection } from "./upstream-connection.ts";

/** Shorter than node:http keeps an idle connection (5 seconds): it isn't found closed when it is used again. */
const idleMs = 1000;
/** So many idle ones are kept at most. */
const maxIdle = 256;

export class Upstream {
  readonly #path: string;
  readonly #idle: UpstreamConnection[] = [];

  /** @param path of the unix socket that the server listens on */
  constructor(path: string) {
    this.#path = path;
  }

  /** Throws when the server closes the connection instead of answering, or the client has left. */
  async ask(asked: Asked): Promise<Response> {
    const connection = this.#takeIdle() ?? (await UpstreamConnection.open(this.#path));
    return connection.ask(asked, () => this.#keep(connection));
  }

  #takeIdle(): UpstreamConnection | null {
    for (let kept = this.#idle.pop(); kept !== undefined; kept = this.#idle.pop()) {
      if (kept.isFree && performance.now() - kept.freeSinceMs < idleMs) return kept;
      kept.close();
    }
    return null;
  }

  #keep(connection: UpstreamConnection): void {
    if (!connection.isFree) return;
    if (this.#idle.length < maxIdle) this.#idle.push(connection);
    else connection.close();
  }
}

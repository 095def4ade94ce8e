/**
 * HTTP/3 of one address, by a Bun.serve of its own. Invariant: one process at a time has the UDP port. Bun shares it by
 * SO_REUSEPORT otherwise, and the kernel gives each process the datagrams of some addresses, so that connections of the
 * other one die. A worker that leaves serves its connections to their end; until then its successor waits.
 */
import type { Log } from "../../../api/log.ts";

const retryMs = 100;

/** The part of Bun.serve's server that is used. */
export interface Http3Server {
  stop(closeActiveConnections?: boolean): Promise<void>;
}

export interface Http3Parts {
  /** Opens the server; throws while another process has the port. */
  readonly open: () => Http3Server;
  /** HOST:PORT. */
  readonly where: string;
  /** By which field other answers tell of it: the port is the one that clients see. */
  readonly port: number;
  readonly log: Log;
}

export class Http3Side {
  readonly #parts: Http3Parts;
  readonly #advertised: string;
  #server: Http3Server | null = null;
  #timer: Timer | null = null;
  #waits = false;

  constructor(parts: Http3Parts) {
    this.#parts = parts;
    // RFC 7838 §3: the host is the one that the client has asked.
    this.#advertised = `h3=":${parts.port}"; ma=86400`;
    this.#open();
  }

  /** The value of Alt-Svc; null while there is nobody to talk to. */
  get alternative(): string | null {
    return this.#server === null ? null : this.#advertised;
  }

  /** Takes no new connections and streams, and resolves when the last answer is out. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const server = this.#server;
    this.#server = null;
    await server?.stop();
  }

  #open(): void {
    const { open, where, log } = this.#parts;
    this.#timer = null;
    try {
      this.#server = open();
      if (this.#waits) log.info(`HTTP/3 at ${where}, the port is free now`);
    } catch (error) {
      // Bun's error has no code, and its text is all there is.
      if (!(error instanceof Error && /UDP port/.test(error.message))) throw error;
      if (!this.#waits) log.info(`HTTP/3 waits, another process has ${where}: ${error.message}`);
      this.#waits = true;
      this.#timer = setTimeout(() => this.#open(), retryMs);
    }
  }
}

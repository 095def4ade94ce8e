/**
 * Closed-loop clients of HTTP/2, who follow the rules of GOAWAY (RFC 9113 §6.8): streams with a number above the last one that it
 * names were not seen by the server, and are asked again elsewhere; so are those that it refuses (REFUSED_STREAM, §8.7). All
 * others must be answered: one that isn't is lost.
 */
import http2 from "node:http2";

export interface Http2LoadOptions {
  readonly url: string;
  readonly connections: number;
  /** Requests under way at a time, of each connection. */
  readonly streams: number;
  readonly path: string;
  /** What every answer's body must be. */
  readonly expected: string;
}

export class Http2Load {
  readonly #options: Http2LoadOptions;
  readonly #clients: Promise<void>[] = [];
  readonly lost: string[] = [];
  /** Requests that had their answer. */
  answered = 0;
  /** Requests that GOAWAY's rules let a client ask again, and that it has. */
  repeated = 0;
  /** Connections made. */
  connections = 0;
  #stopped = false;

  constructor(options: Http2LoadOptions) {
    this.#options = options;
    for (let count = 0; count < options.connections; count++) this.#clients.push(this.#client());
  }

  /** Waits until so many more have been answered. */
  async more(count: number): Promise<void> {
    const goal = this.answered + count;
    while (this.answered < goal && this.lost.length < 100) await Bun.sleep(2);
  }

  /** Lets requests under way come to their end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.ended();
  }

  /** Waits until each client has found nobody there, or has been told to stop. */
  async ended(): Promise<void> {
    await Promise.all(this.#clients);
  }

  async #client(): Promise<void> {
    while (!this.#stopped) {
      const session = new Session(this.#options);
      if (!(await session.connected)) {
        if (session.refused) return;
        // Reset before the server has said a word: nothing was seen.
        continue;
      }
      this.connections += 1;
      const loops = Array.from({ length: this.#options.streams }, () => this.#loop(session));
      await Promise.all(loops);
      session.close();
    }
  }

  async #loop(session: Session): Promise<void> {
    while (!this.#stopped && session.takes) {
      const outcome = await session.ask();
      if (outcome === "answered") this.answered += 1;
      else if (outcome === "ask again") this.repeated += 1;
      else this.lost.push(outcome);
    }
  }
}

class Session {
  readonly #options: Http2LoadOptions;
  readonly #session: http2.ClientHttp2Session;
  /** The last stream that the server has seen; null before GOAWAY. */
  #last: number | null = null;
  #closed = false;
  refused = false;
  /** True when the server's SETTINGS have come. */
  readonly connected: Promise<boolean>;

  constructor(options: Http2LoadOptions) {
    this.#options = options;
    const session = http2.connect(options.url, { rejectUnauthorized: false });
    this.#session = session;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.connected = promise;
    session.on("remoteSettings", () => resolve(true));
    session.on("error", (error: NodeJS.ErrnoException) => {
      this.refused ||= error.code === "ECONNREFUSED";
      resolve(false);
    });
    session.on("close", () => {
      this.#closed = true;
      resolve(false);
    });
    session.on("goaway", (_code, last) => (this.#last = Math.min(last, this.#last ?? last)));
  }

  get takes(): boolean {
    return this.#last === null && !this.#closed && !this.#session.closed;
  }

  ask(): Promise<"answered" | "ask again" | (string & {})> {
    const { path, expected } = this.#options;
    const { promise, resolve } = Promise.withResolvers<string>();
    let stream: http2.ClientHttp2Stream;
    try {
      stream = this.#session.request({ ":path": path });
    } catch {
      // Of a session that has closed in between.
      return Promise.resolve("ask again");
    }
    let status = 0;
    let body = "";
    let ended = false;
    let error = "";
    stream.setEncoding("utf8");
    stream.on("response", (fields) => (status = Number(fields[":status"])));
    stream.on("data", (text: string) => (body += text));
    stream.on("end", () => (ended = true));
    stream.on("error", ({ message }) => (error = message));
    stream.on("close", () => {
      if (ended && status === 200 && body === expected) return resolve("answered");
      const isUnseen = this.#last !== null && (stream.id ?? Infinity) > this.#last;
      const isRefused = stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM;
      if (isUnseen || isRefused) return resolve("ask again");
      const facts = `${status} ${body.length} bytes, code ${stream.rstCode}, GOAWAY ${this.#last}`;
      resolve(`stream ${stream.id}: ${facts}: ${error}`);
    });
    return promise;
  }

  close(): void {
    this.#session.close();
  }
}

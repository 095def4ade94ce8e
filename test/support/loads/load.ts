/** Closed-loop clients over plain sockets: one request at a time each, every answer checked, every failure kept with its reason. */
import { ByteClient, type Receiver } from "../../../bench/byte-client.ts";

export interface LoadOptions {
  readonly port: number;
  readonly hostname?: string;
  /** The path of a unix socket, instead of hostname and port. */
  readonly unix?: string;
  /** Over TLS. */
  readonly secure?: boolean;
  /** Clients that open a connection for each request. */
  readonly fresh: number;
  /** Clients that keep their connection until the server says `Connection: close`. */
  readonly kept: number;
  /** The same, with POST and a body in two writes. */
  readonly posting?: number;
  readonly path?: string;
  /** What the requests say in Host. */
  readonly host?: string;
  /** What every answer's body must be, or match. */
  readonly expected: string | RegExp;
  /** A client that finds the server gone ends, and nothing has failed. */
  readonly untilGone?: boolean;
}

/** What connect(2) says where nobody listens; a connection that was made and lost is ECONNRESET. */
const nobodyThere = new Set(["ECONNREFUSED", "ENOENT"]);

export interface LoadResult {
  readonly requests: number;
  readonly failures: readonly string[];
}

/** The outcome of a connection that couldn't be made, with `untilGone`. */
const gone = "gone";

const requestBody = "x".repeat(1000);
const bodyFields = `Content-Length: ${requestBody.length}\r\n`;

/** Load that runs until stop(); pause() resolves when no request is under way and no connection is open. */
export class Load {
  readonly #options: LoadOptions;
  readonly #clients: Promise<void>[] = [];
  readonly #failures: string[] = [];
  readonly #bodies = new Map<string, number>();
  #requests = 0;
  #stopped = false;
  #gate: PromiseWithResolvers<void> | null = null;
  #open = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    const { fresh, kept, posting = 0 } = options;
    for (let count = 0; count < fresh; count++) this.#clients.push(this.#run(false, false));
    for (let count = 0; count < kept; count++) this.#clients.push(this.#run(true, false));
    for (let count = 0; count < posting; count++) this.#clients.push(this.#run(true, true));
  }

  get requests(): number {
    return this.#requests;
  }

  get failures(): readonly string[] {
    return this.#failures;
  }

  /** How often each body has come, of those that were expected. */
  get bodies(): ReadonlyMap<string, number> {
    return this.#bodies;
  }

  /** Waits until so many more requests have been answered. */
  async more(count: number): Promise<void> {
    const goal = this.#requests + count;
    while (this.#requests < goal) {
      if (this.#failures.length > 100) throw new Error(this.#failures.slice(0, 5).join("\n"));
      await Bun.sleep(2);
    }
  }

  async pause(): Promise<void> {
    this.#gate ??= Promise.withResolvers();
    while (this.#open > 0) await Bun.sleep(1);
  }

  resume(): void {
    this.#gate?.resolve();
    this.#gate = null;
  }

  /** With `untilGone`: when every client has found the server gone. */
  async ended(): Promise<LoadResult> {
    await Promise.all(this.#clients);
    return { requests: this.#requests, failures: this.#failures };
  }

  async stop(): Promise<LoadResult> {
    this.#stopped = true;
    this.resume();
    return this.ended();
  }

  async #run(keepAlive: boolean, post: boolean): Promise<void> {
    while (!this.#stopped) {
      if (this.#gate !== null) await this.#gate.promise;
      this.#open += 1;
      const failure = await this.#connection(keepAlive, post);
      this.#open -= 1;
      if (failure === gone) return;
      if (failure !== null)
        this.#failures.push(`${post ? "post" : keepAlive ? "kept" : "fresh"}: ${failure}`);
    }
  }

  /** One connection from its opening to its end; answers with what went wrong, if anything did. */
  #connection(keepAlive: boolean, post: boolean): Promise<string | null> {
    const { port, hostname = "127.0.0.1", unix, secure = false } = this.#options;
    const { path = "/", host = "test", expected } = this.#options;
    const ended = Promise.withResolvers<string | null>();
    const method = post ? "POST" : "GET";
    const fields = `${keepAlive ? "" : "Connection: close\r\n"}${post ? bodyFields : ""}`;
    const request = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`;
    const send = (client: ByteClient) => {
      client.send(request);
      if (post) client.send(requestBody);
    };
    let received = "";
    let waiting = true;
    const finish = (client: ByteClient, failure: string | null) => {
      waiting = false;
      client.close();
      ended.resolve(failure);
    };
    const receiver: Receiver = {
      data: (client, bytes) => {
        received += bytes.toString("latin1");
        const headEnd = received.indexOf("\r\n\r\n");
        if (headEnd === -1) return;
        const head = received.slice(0, headEnd);
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
        const body = received.slice(headEnd + 4);
        if (body.length < length) return;
        const meant = typeof expected === "string" ? body === expected : expected.test(body);
        if (!head.startsWith("HTTP/1.1 200 ") || !meant) {
          return finish(client, `unexpected answer: ${received.slice(0, 300)}`);
        }
        this.#requests += 1;
        this.#bodies.set(body, (this.#bodies.get(body) ?? 0) + 1);
        received = "";
        const goesOn = keepAlive && !this.#stopped && this.#gate === null;
        if (goesOn && !/^connection: close$/im.test(head)) send(client);
        else finish(client, null);
      },
      ended: (client, ending, error) => {
        if (!waiting) return;
        const how = { fin: "closed", cut: "cut", reset: `reset (${error})` }[ending];
        finish(client, `${how} after ${received.length} bytes of an answer`);
      },
    };
    const to = unix === undefined ? { hostname, port, secure } : { unix, secure };
    ByteClient.connect(to, receiver).then(send, ({ code, message }: NodeJS.ErrnoException) => {
      const leaves = this.#options.untilGone === true && nobodyThere.has(code ?? "");
      ended.resolve(leaves ? gone : `can't connect: ${code} ${message}`);
    });
    return ended.promise;
  }
}

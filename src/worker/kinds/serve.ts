/**
 * The `serve` kind: Bun.serve in each worker, for apps that need Bun's own routes or protocols. It
 * can't inherit sockets, so each worker opens its own by reusePort: what waits in the queue of a
 * worker that leaves is reset, unless the kernel migrates it (net.ipv4.tcp_migrate_req).
 */
import { AppServer } from "../../app/server.ts";
import type { RequestFacts } from "../handler.ts";
import { installResponse } from "../../http/response-install.ts";
import { ServedRequest } from "../served-request.ts";
import type { Serving, ServingContext } from "../serving.ts";

/** How long every answer says `Connection: close` before stop() severs the idle connections. */
const farewellMs = 150;
const pollMs = 10;

/**
 * Bun.serve has one timer for keep-alive, uploads and slow answers together. Its longest; and none
 * while an app works on a request, which it would cut without a word.
 */
const idleSeconds = 255;

/** What would make a worker deaf that its master believes to be serving. */
const { stop, reload, unref } = AppServer.prototype;
const refusals = { stop, reload, unref };

export class BunServing implements Serving {
  readonly #context: ServingContext;
  #stops: (() => Promise<void>)[] = [];
  #draining = false;

  constructor(context: ServingContext) {
    this.#context = context;
  }

  /** Before the app is imported, if anybody wants to know how long its Responses are. */
  static prepareProcess(this: void): void {
    installResponse();
  }

  listen(): void {
    const { listeners } = this.#context;
    this.#stops = listeners.map(({ bound }) => {
      // The rules between settings, and Listeners, have refused it.
      if (bound.type !== "tcp") throw new TypeError(`${bound.path}: not a TCP socket`);
      const { hostname, port } = bound;
      const server = Bun.serve({
        hostname,
        port,
        reusePort: true,
        development: false,
        idleTimeout: idleSeconds,
        fetch: (request, server) => this.#answer(request, server),
      });
      const stop = server.stop.bind(server);
      Object.assign(server, refusals);
      return () => stop();
    });
  }

  windDown(): void {
    this.#draining = true;
  }

  async drain(): Promise<void> {
    this.windDown();
    await Bun.sleep(farewellMs);
    await Promise.all(this.#stops.map((stop) => stop()));
    // stop() resolves with the last response handed over; the handler's own end comes after it.
    while (this.#context.handler.inFlight > 0) await Bun.sleep(pollMs);
  }

  async #answer(request: Request, server: Bun.Server<undefined>): Promise<Response> {
    const { handler, observers } = this.#context;
    const facts: RequestFacts = { method: request.method, target: targetOf(request.url) };
    const served = observers.length === 0 ? null : new ServedRequest(facts, request, server);
    let response: Response | null = null;
    server.timeout(request, 0);
    try {
      const made: unknown = await handler.begin(facts, request, server);
      if (made instanceof Response) response = made;
      else {
        const what = made === null ? "null" : typeof made;
        handler.complain(facts, `Expected a Response, got ${what}`);
      }
    } catch (error) {
      response = await handler.fail(facts, error);
    }
    server.timeout(request, idleSeconds);
    handler.finish(facts, request, response);
    const answer = response ?? plainError();
    served?.answered(observers, answer, response !== null);
    return this.#closing(answer);
  }

  /** While draining, tells the client to open its next connection elsewhere. */
  #closing(response: Response): Response {
    if (!this.#draining) return response;
    try {
      response.headers.set("connection", "close");
      return response;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      // Of fetch(): its headers can't be changed.
      const { body, status, statusText, headers } = response;
      return new Response(body, {
        status,
        statusText,
        headers: [...headers, ["connection", "close"]],
      });
    }
  }
}

function plainError(): Response {
  return new Response("Internal Server Error", { status: 500 });
}

function targetOf(url: string): string {
  // HTTP/1.0 without Host: there is nothing to make a URL of.
  if (url.startsWith("/")) return url;
  const at = url.indexOf("/", url.indexOf("//") + 2);
  return at === -1 ? "/" : url.slice(at);
}
